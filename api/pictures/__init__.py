"""Pictures of reports as SVG, drawn by the service: pure functions from what a table says to markup. Each has a title and a description
for who hears the page, its words as text, and no number that the table behind it has not.

Colours are those of Okabe and Ito, which people see apart who see few colours; beside its colour each series has a pattern and its name, so
that a picture says the same in black and white. Colours stand in `static/stockpile.css` under the names of `drawing.SERIES`.
"""

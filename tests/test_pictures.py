"""Pictures as markup: well-formed whatever is drawn, with every word escaped, round scales, and colours told apart by patterns too."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from api.pictures.bars import Bar, Series, lying_bars, upright_bars
from api.pictures.drawing import PATTERNS, SERIES, Caption, Words, pattern_of, round_steps
from api.pictures.flow import Flow, flow_picture

CAPTION = Caption("one", "Losses & <more>", "In a sentence")
TWO = (Series(Words("Missing"), 0), Series(Words("Found"), 1))


def told(markup: str) -> list[str]:
    """The texts of a picture."""
    return ["".join(one.itertext()) for one in ElementTree.fromstring(markup).iter("text")]


@pytest.mark.parametrize(
    ("most", "steps"),
    [(0, [0, 1]), (1, [0, 1]), (3, [0, 1, 2, 3]), (7, [0, 2, 4, 6, 8]), (185, [0, 50, 100, 150, 200]), (1_000_000, 6)],
)
def test_scales_have_round_numbers_and_reach_the_most(most: int, steps: list[int] | int) -> None:
    found = round_steps(most)
    assert found == steps if isinstance(steps, list) else len(found) == steps
    assert found[-1] >= most


def test_no_two_neighbours_look_alike() -> None:
    """Each of the kinds of place has a colour and a pattern that no other has."""
    assert len({(n % SERIES, pattern_of(n)) for n in range(12)}) == 12
    assert {pattern_of(n) for n in range(8)} == set(PATTERNS)


def test_words_are_escaped_and_numbers_stand_as_the_reader_writes_them() -> None:
    bars = [Bar(Words("<b>"), (1000, 234)), Bar(Words("Feb 26", data=True), (0, 0))]
    markup = upright_bars(CAPTION, TWO, bars, "{:,}".format)
    assert "<b>" not in markup
    assert {"1,234", "<b>", "Feb 26", "Missing", "Found"} <= set(told(markup))
    assert told(lying_bars(CAPTION, TWO, bars, "{:,}".format)).count("1,000 / 234") == 1


def test_of_many_months_some_are_named_and_of_none_nothing_is_drawn() -> None:
    bars = [Bar(Words(f"month {n}"), (n, 1)) for n in range(200)]
    assert sum(text.startswith("month") for text in told(upright_bars(CAPTION, TWO, bars, str))) <= 12
    for empty in (upright_bars(CAPTION, TWO, [], str), flow_picture(CAPTION, [], [], str)):
        assert not any(
            one.tag == "path" and one.get("class") != "mark path" for one in ElementTree.fromstring(empty).iter()
        )


def test_what_leaves_a_place_stands_beside_it_and_what_comes_too() -> None:
    places = [Words("Store"), Words("People"), Words("Missing")]
    markup = flow_picture(CAPTION, places, [Flow(0, 1, 70), Flow(1, 0, 20), Flow(1, 2, 5)], str)
    figures = [one for one in ElementTree.fromstring(markup).iter("text") if one.get("class") == "figure"]
    assert ["".join(one.itertext()) for one in figures] == ["70", "25", "20", "70", "5"]

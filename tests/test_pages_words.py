"""The language of a page: who chooses it, what becomes of the texts, what a translator is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from api import words
from tests.api_world import Web, served
from tests.reading_pages import BROWSER, read, visit

web = pytest.fixture(served)


def test_english_is_the_source_and_what_nobody_asked_for_is_english(web: Web) -> None:
    """A browser that speaks a language there is no catalogue of is answered in English."""
    page = visit(web, "clerk", "/documents", **{"Accept-Language": "fi, xx-unknown;q=0.3"})
    assert (page.language, page.direction, page.heading) == ("xx", "ltr", words.pseudo("Documents"))
    page = visit(web, "clerk", "/documents", **{"Accept-Language": "fi"})
    assert (page.language, page.direction, page.heading) == ("en", "ltr", "Documents")


def test_a_language_is_chosen_in_the_address_and_kept(web: Web) -> None:
    """`?language=` says it once; the cookie keeps it, and outweighs what the browser says of itself."""
    answer = web.client.get("/documents?language=xx", headers={**BROWSER, **web.headers("clerk")})
    assert read(answer).language == "xx"
    assert answer.headers["content-language"] == "xx"
    again = visit(web, "clerk", "/documents", **{"Accept-Language": "ar-XB"})
    assert again.language == "xx"
    web.client.cookies.clear()
    assert visit(web, "clerk", "/documents", **{"Accept-Language": "ar-XB"}).direction == "rtl"


def test_texts_keep_what_is_filled_into_them() -> None:
    """Accents and brackets go around values and tags, never through them."""
    assert words.pseudo("%(n)s lines") == "[%(n)s ĺíñéš~~~~~]"
    assert "{name}" in words.pseudo("Hello {name}")
    assert "\u202e" in words.mirrored("Issue")


def test_a_translator_gets_every_text_and_what_comes_back_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalogue of a new language holds texts of templates, declarations and the books; a filled one is used."""
    words.write(tmp_path, ["uk"])
    with (tmp_path / "uk.po").open("rb") as file:
        catalogue = read_po(file, locale="uk")
    for text in ("Skip to content", "Which documents were recorded, and what did each move?", "report missing"):
        assert text in catalogue, text
    catalogue["Documents"].string = "Документи"
    with (tmp_path / "uk.po").open("wb") as file:
        words.write_po(file, catalogue)
    monkeypatch.setattr(words, "TRANSLATIONS", tmp_path)
    words.languages.cache_clear()
    try:
        language = words.language_of("uk")
        assert language.texts.gettext("Documents") == "Документи"
        assert language.texts.gettext("Skip to content") == "Skip to content"
        assert language.name == "українська"
    finally:
        words.languages.cache_clear()


def test_scripts_get_their_texts_in_a_language(web: Web) -> None:
    """Without anybody signed in: they hold nothing of anybody's."""
    answer = web.client.get("/words/xx.json")
    assert answer.status_code == 200
    assert all(value == words.pseudo(text) for text, value in answer.json().items())
    assert web.client.get("/words/tlh.json").status_code == 404

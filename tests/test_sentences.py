"""Sentences of the domain: English to everybody who compares or keeps them, told in another language to who asks for it."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog

from api import words
from stockpile import errors
from stockpile.movements import Act
from stockpile.sentences import Sentence, begun, joined, of_the_books, sentence, within, words_of

ROOT = Path(__file__).parent.parent
ERRORS = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, Exception)}
TOLD = ERRORS | {"Fault", "RowsRejected"}
"""What carries words to people: its first argument."""
ENGLISH = (
    "stockpile/commands/", "stockpile/replays/", "stockpile/settings.py", "stockpile/tls.py", "stockpile/witness/",
    "stockpile/fetching.py", "stockpile/backup.py", "stockpile/backup_contents.py", "stockpile/restore.py",
)  # fmt: skip
"""What speaks to who runs the service, at a terminal or before it serves anybody: in English."""
NOT_YET = ("stockpile/log/", "stockpile/proof/")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    """What a translator gets."""
    return words.catalogue()


@pytest.fixture
def pseudo() -> Iterator[None]:
    """Everything is told in the pseudo-locale."""
    before = words.viewer.set(words.Viewer(words.PSEUDO["xx"], ZoneInfo("UTC")))
    yield
    words.viewer.reset(before)


def test_a_sentence_is_its_english() -> None:
    """Compared, kept, copied and written like any text, whatever is in it."""
    said = sentence(
        "only {there} {name} at {where!r}",
        there=2,
        name=sentence("{model}, lot {lot}", model="M67", lot="A"),
        where="A{b}",
    )
    assert said == "only 2 M67, lot A at 'A{b}'"
    assert json.dumps({"said": said}) == '{"said": "only 2 M67, lot A at \'A{b}\'"}'
    assert {said: 1}["only 2 M67, lot A at 'A{b}'"] == 1
    for same in (copy.deepcopy(said), pickle.loads(pickle.dumps(said)), begun(within(said))):
        assert isinstance(same, Sentence)
        assert (same.lower(), same.values) == (said.lower(), said.values)
    assert sentence("{{as it is}}") == "{as it is}"
    assert begun("it is here") == begun(sentence("it is here")) == "It is here"


@pytest.mark.usefixtures("pseudo")
def test_its_words_and_the_sentences_in_it_are_told_and_what_users_wrote_is_not() -> None:
    """Numbers as they are written there; what is no sentence stays; words of the books are told wherever they stand."""
    why = sentence("{n:,} late", n=12345)
    said = sentence(
        "{who} is {state}, not {act}: {why}", who="Petrov", state=of_the_books("open"), act=Act.ISSUE, why=why
    )
    assert said == "Petrov is open, not issue: 12,345 late"
    assert words.told(said).replace("~", "") == "[Petrov íš [ópéñ], ñóť [íššúé]: [12,345 ĺáťé]]"
    assert words.told(begun(sentence("late"))).replace("~", "") == "[ĺáťé]"
    assert words.told(joined(sentence(" or "), ["A", sentence("late")])).replace("~", "") == "A[ óř ][ĺáťé]"
    assert words.told("approved") == "approved"


def test_a_translation_that_names_what_there_is_not_is_told_in_english() -> None:
    """A slip of a translator costs nobody the reason; and a translation looks into no value."""
    said = sentence("it is not at {site}", site="TAJI")
    for translation in ("ні {place}", "ні {site.__class__}", "ні {", "ні {0}"):
        assert said.told(lambda _, told=translation: told, lambda value, form: str(value)) == said  # type: ignore[misc]
    assert said.told(lambda _: "не в {site}", lambda value, form: str(value)) == "не в TAJI"


def test_what_an_exception_says_remains_a_sentence() -> None:
    """Where a check of ours is caught and told as a fault."""
    assert isinstance(words_of(ValueError(sentence("is empty"))), Sentence)
    assert words_of(ValueError("a", "b")) == "('a', 'b')"


# The program itself


@cache
def calls(folder: str) -> tuple[tuple[str, ast.Call, str], ...]:
    """Every call in a package: where, and of what."""
    return tuple(_calls(folder))


def _calls(folder: str) -> Iterator[tuple[str, ast.Call, str]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node, name


def test_every_value_in_a_template_is_given() -> None:
    """And none is given that is not in it: or who is refused would be told nothing at all."""
    wrong = []
    for folder in ("stockpile", "labels", "api"):
        for where, call, name in calls(folder):
            if name != "sentence" or not call.args:
                continue
            (said,) = call.args
            given = {one.arg for one in call.keywords}
            if not isinstance(said, ast.Constant) or None in given:
                continue
            named = {field for _, field, _, _ in Formatter().parse(said.value) if field is not None}
            if named != given:
                wrong.append(f"{where}: {named ^ given}")
    assert not wrong, "\n".join(wrong)


def plain(node: ast.expr) -> Iterator[ast.expr]:
    """The texts in an argument that no translator will see."""
    if isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
    ):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from (*plain(node.body), *plain(node.orelse))
    elif isinstance(node, ast.BoolOp):
        yield from (text for value in node.values for text in plain(value))


def test_no_problem_is_told_in_english_alone() -> None:
    """Every error and fault that people meet on a page is made of a sentence."""
    left = [
        f"{where}: {name}"
        for folder in ("stockpile", "labels", "api")
        for where, call, name in calls(folder)
        if name in TOLD and call.args and not where.startswith((*ENGLISH, *NOT_YET))
        if any(plain(call.args[0]))
    ]
    assert not left, "\n".join(left)


def test_translators_get_every_sentence(catalogue: Catalog) -> None:
    """Of the domain, of labels, of what a validation finds, and the kinds of problems."""
    for text in (
        "{holder} does not hold it",
        "Held by {where}{since}",
        "the sheet has labels 1 to {labels}",
        "string should have at least {min_length} character{expected_plural}",
        "Refused",
        "{name} is counted: say where it is taken from, or scan a weapon",
    ):
        assert text in catalogue, text
    of_verdicts = {text for text in words.script_texts() if "{since}" in text}
    assert of_verdicts >= {"Held by {where}{since}", "It is in the workshop{since}"}


def test_what_the_station_says_of_a_weapon_is_what_the_service_says(catalogue: Catalog) -> None:
    """The scripts' verdicts without the service are the same templates: a translator writes each once."""
    script = (ROOT / "api/static/station/offline/verdict.js").read_text(encoding="utf-8")
    said = {text.encode().decode("unicode_escape") for text in re.findall(r'say\(\s*"((?:[^"\\]|\\.)*)"', script)}
    of_the_service = {
        str(message.id): {place for place, _ in message.locations if place.startswith("stockpile/")}
        for message in catalogue
        if message.id
    }
    assert len(said) > 30
    assert {text for text in said if not of_the_service.get(text)} == set()

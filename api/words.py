"""In which language somebody is spoken to, and what each text is called in it. English is the source: a catalogue is a file
`api/translations/<language>.po` that `python -m api.words` makes and a translator fills in. A text without a translation is
shown as it is.

Two languages nobody speaks show what was forgotten: `xx` has accents, 40 per cent more letters and brackets around every
text that goes through here; `ar-XB` runs from right to left.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache, partial
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from babel.numbers import format_decimal

from stockpile.alerts.kinds import KINDS as ALERT_KINDS
from stockpile.catalogue_data import CATEGORIES
from stockpile.db.tables.alerts import MAIL_STEPS
from stockpile.db.tables.audits import KINDS as AUDIT_KINDS
from stockpile.db.tables.tracing import CONFIDENCES, HOW, SERIAL_STATUSES, STEPS
from stockpile.db.tables.visits import FINDINGS, SAID
from stockpile.discrepancies import Kind
from stockpile.donors.physical_security import Seen, checklist
from stockpile.donors.progress import Attention, Stage
from stockpile.donors.statements import State as StatementState
from stockpile.donors.statements import StatementKind
from stockpile.donors.tracing import OUTCOMES
from stockpile.donors.visits import Level
from stockpile.log.alarms import KINDS as LOG_ALARMS
from stockpile.movements import MOVEMENTS, AccountClass, Act
from stockpile.registers.count_findings import Kind as FindingKind
from stockpile.registers.counts import Reason
from stockpile.reports.allowances import State as AllowanceState
from stockpile.reports.books import KINDS as BOOK_KINDS
from stockpile.reports.counts import State
from stockpile.reports.destruction_orders import OrderState
from stockpile.reports.iarms import RECORD_TYPES
from stockpile.reports.registers import Lines
from stockpile.reports.serial_capture import What as CaptureWhat
from stockpile.reports.tracings import TracingKind, TracingState
from stockpile.reports.visits import VisitState
from stockpile.rights import RIGHTS, ROLES
from stockpile.roster_changes import Kind as ChangeKind
from stockpile.sentences import Sentence
from stockpile.writing_direction import in_its_direction

HERE = Path(__file__).parent
TRANSLATIONS = HERE / "translations"
SOURCE = "en"

METHODS = [("templates/**.html", "jinja2"), ("**.py", "python"), ("static/**.js", "javascript")]
"""Where under `api/` texts are, and how each kind of file is read."""
KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "plural": (1, 2)}
SCRIPT_KEYWORDS: dict[str, Any] = {"say": None}
SENTENCES: dict[str, Any] = {"sentence": None, "template": None}
"""How the sentences of the domain are marked (`stockpile/sentences.py`)."""
BESIDE = ("stockpile", "labels")
"""The packages beside this one whose sentences people meet."""


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


def plural(one: str, several: str) -> tuple[str, str]:
    """Marks a text for one and for several; the number is `%(num)s` in it."""
    return one, several


@dataclass(frozen=True)
class Language:
    """A language somebody can be spoken to in: its tag, the locale that writes its numbers and dates, its catalogue."""

    tag: str
    locale: Locale
    texts: NullTranslations

    @property
    def direction(self) -> str:
        """From where its lines run: ltr or rtl."""
        return self.locale.text_direction

    @property
    def name(self) -> str:
        """How its speakers call it."""
        return self.texts.info().get("language-name") or str(self.locale.display_name)


_HELD_TOGETHER = re.compile(r"%\(\w+\)[sd]|%%|\{\w+[^{}]*\}|<[^>]*>|&\w+;")
"""What a translator leaves as it is: values to be filled in, tags, entities."""
_ACCENTS = str.maketrans("abcdeghijklnorstuwyzACDEGHIKLNORSTUWYZ", "áƀçđéğĥíĵķĺñóřšťúŵýžÁÇĐÉĞĤÍĶĹÑÓŘŠŤÚŴÝŽ")


class _Changed(NullTranslations):
    """Texts that are changed by rule, not translated."""

    def __init__(self, name: str, change: Callable[[str], str]) -> None:
        super().__init__()
        self._name = name
        self._change = change

    def info(self) -> dict[str, str]:
        return {"language-name": self._name}

    def gettext(self, message: str) -> str:
        return self._change(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._change(msgid1 if n == 1 else msgid2)


def pseudo(text: str) -> str:
    """A text with accents, longer by 40 per cent, in brackets."""
    return f"[{_apart(text, lambda words: words.translate(_ACCENTS))}{'~' * -(-len(text) * 4 // 10)}]"


def mirrored(text: str) -> str:
    """A text that runs from right to left, in our letters."""
    return _apart(text, lambda words: re.sub(r"\w+", "\u202e\\g<0>\u202c", words))


def _apart(text: str, change: Callable[[str], str]) -> str:
    """A text changed but for what is held together."""
    parts, end = [], 0
    for held in _HELD_TOGETHER.finditer(text):
        parts += [change(text[end : held.start()]), held.group()]
        end = held.end()
    return "".join((*parts, change(text[end:])))


PSEUDO = {
    "xx": Language("xx", Locale("en"), _Changed("Pseudo", pseudo)),
    "ar-XB": Language("ar-XB", Locale("ar"), _Changed("Pseudo, right to left", mirrored)),
}
"""For tests and for those who write pages: never offered, always there when asked for."""


@cache
def languages() -> dict[str, Language]:
    """The languages there are, by tag, English first."""
    found = {SOURCE: Language(SOURCE, Locale("en"), NullTranslations())}
    for path in sorted(TRANSLATIONS.glob("*.po")):
        found[path.stem] = Language(path.stem, Locale.parse(path.stem, sep="-"), _read(path))
    return found


def _read(path: Path) -> NullTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem.replace("-", "_"))
    written = BytesIO()
    write_mo(written, catalogue)
    written.seek(0)
    return GNUTranslations(written)


def language_of(*wanted: str | None, accepted: str = "") -> Language:
    """The first language of those wanted that there is, else the best of an Accept-Language header, else English."""
    known = {tag.lower(): language for tag, language in (languages() | PSEUDO).items()}
    for tag in (*wanted, *_preferred(accepted)):
        if tag and (found := known.get(tag.lower()) or known.get(tag.partition("-")[0].lower())):
            return found
    return languages()[SOURCE]


def _preferred(accepted: str) -> Iterator[str]:
    """The tags of an Accept-Language header, those most wanted first."""
    weighed = []
    for part in accepted[:500].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), tag))
        except ValueError:
            continue
    return (tag for _, tag in sorted(weighed, key=lambda pair: pair[0]))


@dataclass(frozen=True)
class Viewer:
    """For whom a page is written just now: language and time on the wall, and whether they may write at all."""

    language: Language
    zone: ZoneInfo
    writes: bool = True


viewer: ContextVar[Viewer] = ContextVar("viewer", default=Viewer(languages()[SOURCE], ZoneInfo("UTC")))  # noqa: B039


def say(text: str) -> str:
    """A text of ours in the viewer's language. Never for what users wrote: what comes through `_` in a template is trusted."""
    return viewer.get().language.texts.gettext(text)


def say_several(one: str, several: str, n: int) -> str:
    """The same for a number of things."""
    return viewer.get().language.texts.ngettext(one, several, n)


def told(text: Any) -> Any:
    """A sentence of the domain in the viewer's language; anything else as it is: what users wrote is never translated."""
    language = viewer.get().language
    if not isinstance(text, Sentence) or language.tag == SOURCE:
        return text
    return text.told(language.texts.gettext, partial(_written, language))


def all_told(answer: Any) -> Any:
    """An answer with every sentence in it told."""
    if viewer.get().language.tag == SOURCE:
        return answer
    if is_dataclass(answer) and not isinstance(answer, type):
        return replace(answer, **{each.name: all_told(getattr(answer, each.name)) for each in fields(answer)})
    if isinstance(answer, (list, tuple)):
        return type(answer)(all_told(each) for each in answer)
    if isinstance(answer, dict):
        return {name: all_told(each) for name, each in answer.items()}
    return told(answer)


def _written(language: Language, value: object, form: str) -> str:
    """A value among the words of a language."""
    if form == "," and isinstance(value, (int, float)):
        return format_decimal(value, locale=language.locale)
    return in_its_direction(format(value, form))


TERMS: tuple[str, ...] = (
    *Act,
    *AccountClass,
    *Kind,
    *ROLES,
    *dict.fromkeys(movement.paper for movement in MOVEMENTS),
    *("serviceable", "unserviceable", "unknown"),
    *("open", "closed", "running", "done", "failed", "cancelled", "interrupted", "valid", "expired", "withdrawn", "refused",
      "approved", "posted", "rejected", "not begun", "left", "there", "missing", "erased", "yes", "no"),
    *("posted by", "approved by", "received by", "handed over by", "returned by", "reported by", "first witness", "second witness"),
    *State, *FindingKind, *get_args(Reason), *OrderState, *AllowanceState, *AUDIT_KINDS, *Lines, *CATEGORIES, *BOOK_KINDS,
    *CaptureWhat, *ChangeKind, *RIGHTS, *StatementKind, *StatementState, *Attention, *Stage,
    *VisitState, *FINDINGS, *SAID, *get_args(Level), *get_args(Seen),
    *(point.what for point in checklist()),
    *TracingKind, *TracingState, *SERIAL_STATUSES, *CONFIDENCES, *HOW, *STEPS, *OUTCOMES, *RECORD_TYPES,
    *ALERT_KINDS, *MAIL_STEPS, "holds", "ended", "waits", "e-mail", "web feed", "restore declared", *LOG_ALARMS,
    "draw", "emergency issue", "receipt", "list of weapons with their receivers",
    "person", "unit", "organisation", "donor", "counter", "device", "paper", "exceptions",
    "password", "pin", "serial number", "search", "scan",
)  # fmt: skip
"""Words of the field that stand in the books themselves: shown by the filter `term`."""


@cache
def script_texts() -> tuple[str, ...]:
    """The texts of our scripts: what stands in `say("...")`."""
    found = extract_from_dir(HERE / "static", [("**.js", "javascript")], keywords=SCRIPT_KEYWORDS)
    return tuple(dict.fromkeys(message if isinstance(message, str) else message[0] for _, _, message, _, _ in found))


def catalogue() -> Catalog:
    """Every text that is to be translated, and where it stands."""
    found = Catalog(project="stockpile", charset="utf-8")
    options = {"templates/**.html": {"newstyle_gettext": "true", "silent": "false"}}
    for path, line, message, comments, context in extract_from_dir(
        HERE, METHODS, options, keywords=KEYWORDS | SCRIPT_KEYWORDS | SENTENCES
    ):
        found.add(message, locations=[(f"api/{path}", line)], auto_comments=comments, context=context)
    for package in BESIDE:
        folder = HERE.parent / package
        for path, line, message, comments, context in extract_from_dir(
            folder, [("**.py", "python")], keywords=SENTENCES
        ):
            found.add(message, locations=[(f"{package}/{path}", line)], auto_comments=comments, context=context)
    for field in sorted(_fields()):
        found.add(field, auto_comments=["a field of a form or a request, at which something is wrong"])
    for term in TERMS:
        found.add(str(term), auto_comments=["a word that stands in the books"])
    return found


def _fields() -> set[str]:
    """The fields that faults name, as `term` shows them."""
    folders = (HERE, *(HERE.parent / package for package in BESIDE))
    trees = (ast.parse(path.read_text(encoding="utf-8")) for folder in folders for path in folder.rglob("*.py"))
    faults = (
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Fault"
    )
    given = (
        one.value.value
        for fault in faults
        for one in fault.keywords
        if one.arg == "field" and isinstance(one.value, ast.Constant)
    )
    return {name.replace("_", " ") for name in given if isinstance(name, str) and re.match("[a-z]", name)}


def write(folder: Path, tags: list[str]) -> None:
    """Writes the template of all texts to a folder, and brings the catalogue of each language there up to date."""
    folder.mkdir(exist_ok=True)
    template = catalogue()
    with (folder / "stockpile.pot").open("wb") as file:
        write_po(file, template, sort_output=True, width=120)
    for tag in {*tags, *(path.stem for path in folder.glob("*.po"))}:
        path = folder / f"{tag}.po"
        known = Catalog(locale=tag.replace("-", "_"), project="stockpile")
        if path.exists():
            with path.open("rb") as file:
                known = read_po(file, locale=tag.replace("-", "_"))
        known.update(template)
        with path.open("wb") as file:
            write_po(file, known, sort_output=True, width=120)


if __name__ == "__main__":
    write(TRANSLATIONS, sys.argv[1:])

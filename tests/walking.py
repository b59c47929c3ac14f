"""Every route of the service with every parameter it takes, asked as one person: with values that are theirs, with another's, and with such
as nobody has. The routes come from the application itself, so that a new one is walked on the day it is added.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import unified_diff
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from urllib.parse import quote, quote_plus, urlencode
from uuid import UUID

from fastapi import FastAPI
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute, iter_route_contexts
from httpx import Response
from openpyxl import load_workbook
from pypdfium2 import PdfiumError
from starlette.routing import Mount

from stockpile.keys import new_key
from tests.api_world import Web
from tests.paper_reading import words
from tests.reading_pages import PageRead

A_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
A_CURSOR = re.compile(r'"cursor": ?"([^"]+)"|[?&;]cursor=([\w%=-]+)')


@dataclass(frozen=True)
class Way:
    """A route: its method, its address, and what it can be asked by, each with its type."""

    method: str
    address: str
    of_path: Mapping[str, Any]
    of_query: Mapping[str, Any]
    needed: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


@dataclass(frozen=True)
class Values:
    """What somebody can name: ids and texts, by what they are of."""

    ids: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, tuple[str, ...]]

    def less(self, other: Values) -> Values:
        """Those that the other cannot name."""
        return Values(_less(self.ids, other.ids), _less(self.texts, other.texts))


def _less(these: Mapping[str, tuple[str, ...]], those: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    left = {name: tuple(one for one in kept if one not in those.get(name, ())) for name, kept in these.items()}
    return {name: kept for name, kept in left.items() if kept}


def ways(application: FastAPI) -> list[Way]:
    """Every route that the service has, but for the files that are the same for everybody."""
    listings = application.state.listings
    found = []
    for route in iter_route_contexts(application.routes):
        if isinstance(route.original_route, Mount) or route.path is None:
            continue
        parameters = get_flat_params(route.dependant) if isinstance(route.original_route, APIRoute) else []
        kinds = {
            where: {one.alias: one.field_info.annotation for one in parameters if one.field_info.in_.value == where}
            for where in ("path", "query")
        }
        needed = frozenset(
            one.alias for one in parameters if one.field_info.is_required() and one.alias in kinds["query"]
        )
        if (listing := listings.get(route.path)) is not None:
            orders = Literal[tuple(listing.orders or ("",))]
            asked = {each.name: str for each in listing.filters}
            kinds["query"] |= {**asked, "order": orders, "format": Literal["csv", "xlsx", "json"], "cursor": str}
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            found.append(Way(method, route.path, kinds["path"], kinds["query"], needed))
    return found


def plain(kind: Any) -> Any:
    """The type behind `X | None` and what is said about it."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, UnionType):
            kind = next(one for one in get_args(kind) if one is not type(None))
        elif get_origin(kind) in (list, tuple, set):
            kind = get_args(kind)[0]
        else:
            return kind


ENOUGH = 4
"""Of what can be chosen: one way asks the books alike for each."""


def choices(kind: Any) -> tuple[str, ...] | None:
    """What can be chosen where there is nothing to make up, the first of it; None where there is."""
    kind = plain(kind)
    if get_origin(kind) is Literal:
        return tuple(str(one.value if isinstance(one, Enum) else one) for one in get_args(kind)[:ENOUGH])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(one.value) for one in kind)[:ENOUGH]
    if kind is bool:
        return ("true", "false")
    if kind is int:
        return ("1", "2")
    if kind in (date, datetime):
        return ("2026-11-01" if kind is date else "2026-11-01T00:00:00Z",)
    return None


NAMES_OF = {
    "donor": ("donor",), "source": ("donor",), "model": ("model",), "site": ("site",), "from_site": ("site",), "to_site": ("site",),
    "consignment": ("reference",), "reference": ("reference", "certificate"), "certificate": ("certificate",), "number": ("number",),
    "shipment": ("number",), "code": ("donor", "site"), "sha256": ("sha256",), "person": ("person", "donor"), "unit": ("unit", "donor"),
    "poster": ("person", "donor"), "owner": ("person", "donor"), "carrier": ("donor",), "book": ("book", "donor"), "country": ("donor",),
}  # fmt: skip
"""What a text is of, by what it is asked for; all that there is for any other name."""


IDS_IN_LISTS = frozenset(
    {"visit", "count", "audit", "register", "item", "item_id", "document", "discrepancy", "case", "account"}
)
"""What a list on a page is asked for by id, though its address takes any text."""
MOMENTS = ("2026-11-01",)
FIXED = {
    "language": ("ar",), "size": ("A4",), "since": MOMENTS, "until": ("2099-12-31",), "on": MOMENTS, "as_of": ("2099-12-31",),
    "treaty": ("att",),
    "recorded_as_of": ("2099-12-31",), "due_before": ("2099-12-31",), "expected_before": ("2099-12-31",), "origin": ("outside",),
    "state": ("open",), "asked": ("by=donor",), "report": ("/reports/balance", "/weapons", "/reports/consignments"), "place": ("store",),
}  # fmt: skip
"""What is given where a text is not a name in the books."""


def fixed(way: Way, name: str) -> tuple[str, ...] | None:
    """What a parameter takes that is nobody's; None where it may name something."""
    if name == "year":
        return ("2026",)
    return choices({**way.of_path, **way.of_query}[name]) or FIXED.get(name)


def is_id(way: Way, name: str) -> bool:
    """Whether a parameter takes an id."""
    return name in IDS_IN_LISTS or plain({**way.of_path, **way.of_query}[name]) is UUID


def named(way: Way, name: str, values: Values) -> tuple[str, ...]:
    """What somebody would give for a parameter."""
    chosen = fixed(way, name)
    if chosen is not None:
        return chosen
    if name == "cursor":
        return ()
    if is_id(way, name):
        of = name.removesuffix("_id")
        return values.ids.get(of) or tuple(one for kept in values.ids.values() for one in kept[:1])
    of_kinds = NAMES_OF.get(name, tuple(values.texts))
    return tuple(one for kind in of_kinds for one in values.texts.get(kind, ())) or ("1",)


def unknown(value: str) -> str:
    """A value of the same form that stands in no book."""
    if A_UUID.fullmatch(value):
        return str(new_key())
    if re.fullmatch("[0-9a-f]{64}", value):
        return ("7" * 4 + value[4:])[::-1]
    if re.fullmatch(r"\w+/[\w.]+/\d{4}/\d+", value):
        return f"{value}98765"
    return "".join(_turned(letter) for letter in value)


def _turned(letter: str) -> str:
    """Another letter of the same case."""
    first = "A" if "A" <= letter <= "Z" else "a" if "a" <= letter <= "z" else None
    return letter if first is None else chr(ord(first) + (ord(letter) - ord(first) + 9) % 26)


def filled(way: Way, given: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The address of a request, and its query."""
    path = re.sub(r"{(\w+)(:\w+)?}", lambda found: quote(given[found[1]], safe="/" if found[2] else ""), way.address)
    return path, {name: value for name, value in given.items() if name in way.of_query}


@dataclass(frozen=True, eq=False)
class Asking:
    """One request; `about`: the value that it is made for."""

    way: Way
    given: Mapping[str, str]
    about: str | None = None

    def instead(self, value: str) -> Asking:
        """The same with another value."""
        return Asking(self.way, {name: value if one is self.about else one for name, one in self.given.items()}, value)

    def __str__(self) -> str:
        path, query = filled(self.way, self.given)
        return f"{self.way.method} {path}{'?' + urlencode(query) if query else ''}"


def with_own(way: Way, own: Values, most: int | None = None) -> Iterator[Asking]:
    """Requests with one's own values: each for what must be named, then each, or at most so many, for what may be."""
    must = [*way.of_path, *way.needed]
    bases = [{}] if not must else list(_combined(way, must, own))
    for base in bases:
        yield Asking(way, base)
    for name in way.of_query:
        for value in named(way, name, own)[:most] if name not in must else ():
            yield Asking(way, {**bases[0], name: value})


def _combined(way: Way, must: list[str], own: Values) -> Iterator[dict[str, str]]:
    """One of each for what must be named: every value once."""
    lists = {name: named(way, name, own) for name in must}
    for place in range(max(map(len, lists.values()))):
        yield {name: values[min(place, len(values) - 1)] for name, values in lists.items()}


def with_anothers(way: Way, own: Values, other: Values, of_query: bool = True) -> Iterator[tuple[Asking, list[Asking]]]:
    """Requests with another's values at each parameter, the rest being one's own, after the same with what nobody has: an id of every kind
    at every id, a text of every kind at every text. `of_query`: also in what may be asked.
    """
    must = [*way.of_path, *way.needed]
    base = next(_combined(way, must, own)) if must else {}
    for name in (*way.of_path, *(way.of_query if of_query else ())):
        if fixed(way, name) is not None or name == "cursor":
            continue
        if is_id(way, name):
            of = other.ids.get(name.removesuffix("_id"))
            values = [*of[:3], other.ids["item"][0]] if of else [kept[0] for kept in other.ids.values()]
            yield _about(way, base, name, dict.fromkeys(values))
        else:
            for value in dict.fromkeys(named(way, name, Values({}, other.texts))):
                yield _about(way, base, name, [value])


def _about(way: Way, base: Mapping[str, str], name: str, values: Iterable[str]) -> tuple[Asking, list[Asking]]:
    """The same request for each of the values, and before it for one of their form that nobody has."""
    asked = [Asking(way, {**base, name: value}, value) for value in values]
    return asked[0].instead(unknown(asked[0].given[name])), asked


@dataclass
class Asked:
    """One person at the service, who asks nothing twice."""

    web: Web
    who: str
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    pages: dict[str, Response] = field(default_factory=dict)

    def answer(self, asking: Asking, **sent: Any) -> Response:
        """What comes back; a page as a browser asks for it."""
        path, query = filled(asking.way, asking.given)
        return self._requested(asking.way.method, f"{path}?{urlencode(query)}" if query else path, **sent)

    def told(self, asking: Asking, **sent: Any) -> tuple[int, str]:
        """The status of an answer, and all that a reader can make of it."""
        if asking.way.method != "GET":
            found = self.answer(asking, **sent)
            return found.status_code, read(found)
        path, query = filled(asking.way, asking.given)
        return self.found(f"{path}?{urlencode(query)}" if query else path)

    def found(self, address: str) -> tuple[int, str]:
        """The same of an address."""
        if address not in self.answers:
            found = self._requested("GET", address)
            self.answers[address] = found.status_code, read(found)
            self.pages[address] = found
        return self.answers[address]

    def links(self, address: str) -> Iterator[str]:
        """Where an answer leads on."""
        self.found(address)
        page, found = PageRead(), self.pages[address]
        if found.headers.get("content-type", "").startswith("text/html"):
            page.feed(found.text)
        for link in (*page.addresses, found.headers.get("location", "")):
            if leads := link.partition("#")[0]:
                yield leads

    def about(self, asking: Asking, **sent: Any) -> tuple[int, str]:
        """The same but for what it was asked about, and for what is made anew."""
        status, text = self.told(asking, **sent)
        return status, masked(without(text, asking.about))

    def _requested(self, method: str, address: str, **sent: Any) -> Response:
        accept = {} if address.startswith("/v1/") else {"Accept": "text/html"}
        headers = {**self.web.headers(self.who), **accept}
        return self.web.client.request(method, address, headers=headers, follow_redirects=False, **sent)


def read(found: Response) -> str:
    """All that a reader can make of an answer: its words, and what stands in its headers and in the cursors it hands out."""
    kind = found.headers.get("content-type", "").partition(";")[0]
    if kind == "application/pdf":
        text = _written(found.content)
    elif kind.endswith("spreadsheetml.sheet"):
        text = "\n".join(_cells(found.content))
    elif kind == "application/zip":
        text = "\n".join(_members(found.content))
    else:
        text = html.unescape(found.text) if kind == "text/html" else found.text
    told = " ".join(found.headers.get(name, "") for name in ("content-disposition", "location", "link", "etag"))
    cursors = "\n".join(filter(None, (_opened(one[0] or one[1]) for one in A_CURSOR.findall(text))))
    return "\n".join((told, text, cursors))


def _written(content: bytes) -> str:
    try:
        return words(content)
    except PdfiumError:
        return content.decode("latin-1")  # a scan as somebody sent it


def _cells(content: bytes) -> Iterator[str]:
    for sheet in load_workbook(io.BytesIO(content), read_only=True):
        for row in sheet.iter_rows(values_only=True):
            yield " | ".join("" if one is None else str(one) for one in row)


def _members(content: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for one in packed.namelist():
            yield one
            yield packed.read(one).decode("utf-8", "replace")


def _opened(cursor: str) -> str:
    try:
        return urlsafe_b64decode(cursor.replace("%3D", "=").encode()).decode("utf-8", "replace")
    except ValueError:
        return ""


def without(text: str, value: str | None) -> str:
    """The text without a value, however it is written: what was asked for may be said again."""
    if value is not None:
        for written in sorted(
            {value, value.upper(), value.lower(), quote(value), quote(value, safe=""), quote_plus(value)},
            key=len,
            reverse=True,
        ):
            text = text.replace(written, "…")
    return text


def masked(text: str) -> str:
    """The text without what is made anew for every answer: ids, the clock, where the form of a value is at fault."""
    return ANEW.sub("<anew>", text)


def differing(one: str, other: str) -> list[str]:
    """The first lines in which two texts differ."""
    return [line[:300] for line in unified_diff(one.splitlines(), other.splitlines(), lineterm="", n=0)][2:8]


ANEW = re.compile(
    rf"{A_UUID.pattern}|Read from the books on <time .*?</time>|-\d{{4}}-\d\d-\d\d-\d{{4}}Z|found `.` at \d+"
    r"|invalid group [a-z ]+ \d+: [a-z ]+\d+, found \d+"
)

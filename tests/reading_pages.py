"""Pages as their readers find them: headings, tables, links and the texts between, read from HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from httpx import Response

from tests.api_world import Web

VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "path", "line", "circle", "rect", "use"})
SPOKEN = ("aria-label", "placeholder", "alt", "data-label")
"""Attributes that somebody reads or hears."""
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@dataclass
class PageRead(HTMLParser):
    """A page: what stands in it, by the elements around it, what its attributes say, and the rows of its tables."""

    text: str = ""
    title: str = ""
    heading: str = ""
    links: dict[str, str] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    language: str = ""
    direction: str = ""
    texts: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self._link: list[str] = []
        self._cell: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes where a row, a link or a field begins."""
        given = dict(attrs)
        self.spoken += [value for name in SPOKEN if (value := given.get(name))]
        if tag == "html":
            self.language, self.direction = given.get("lang") or "", given.get("dir") or ""
        if tag == "input" and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""
        if tag == "option" and "selected" in given:
            select = next(about for name, about in reversed(self._open) if name == "select")
            self.fields[str(select["name"])] = given.get("value") or ""
        if tag == "tr":
            self.rows.append({})
        if tag == "a":
            self._link = []
            self.addresses.append(given.get("href") or "")
        if tag == "td":
            self._cell = []
        if tag not in VOID:
            self._open.append((tag, given))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Drawings close their elements themselves."""

    def handle_endtag(self, tag: str) -> None:
        """Keeps what ended."""
        while self._open:
            name, given = self._open.pop()
            if name == tag:
                break
        else:
            return
        if tag == "a":
            self.links[" ".join("".join(self._link).split())] = given.get("href") or ""
        if tag == "td" and given.get("data-label"):
            self.rows[-1][str(given["data-label"])] = " ".join("".join(self._cell).split())

    def handle_data(self, data: str) -> None:
        """Keeps texts where they stand."""
        tags = [name for name, _ in self._open]
        if not data.strip():
            self._link.append(" ")
            self._cell.append(" ")
            return
        self.text += " " + data.strip()
        self.texts.append((tuple(tags), data.strip()))
        if "title" in tags:
            self.title += data.strip()
        if "h1" in tags:
            self.heading += data.strip()
        if "a" in tags:
            self._link.append(data)
        if "td" in tags:
            self._cell.append(data)


def read(answer: Response) -> PageRead:
    """An answer as a page."""
    assert answer.headers["content-type"].startswith("text/html"), answer.text
    page = PageRead()
    page.feed(answer.text)
    page.rows = [row for row in page.rows if row]
    return page


def visit(web: Web, who: str | None, path: str, status: int = 200, **headers: str) -> PageRead:
    """A page that somebody opens in a browser."""
    signed = web.headers(who) if who else {}
    answer = web.client.get(path, headers={**BROWSER, **signed, **headers})
    assert answer.status_code == status, answer.text
    assert len(answer.content) < 100_000, f"{path}: {len(answer.content)} bytes"
    return read(answer)

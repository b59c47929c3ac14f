"""The web feed of alerts: Atom, as RFC 4287 says. The same alerts make the same bytes, so that a reader is told when nothing changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID
from xml.etree import ElementTree

from api.words import say, told
from stockpile.reports.alerts import AlertRow

ATOM = "http://www.w3.org/2005/Atom"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
MEDIA_TYPE = "application/atom+xml; charset=utf-8"
_NEVER_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom_of(alerts: Sequence[AlertRow], owner: UUID, address: str, language: str, full_text: bool) -> bytes:
    """The feed's document. `address`: under which its reader reaches the service. Without full text an entry tells kind, number and
    link.
    """
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {LANGUAGE: language})
    _add(feed, "id", f"urn:uuid:{owner}")
    _add(feed, "title", say("Stockpile: alerts"))
    _add(feed, "updated", _moment(max((one.found_at for one in alerts), default=datetime(2000, 1, 1, tzinfo=UTC))))
    _add(_add(feed, "author"), "name", "Stockpile")
    _add(feed, "link", rel="self", type="application/atom+xml", href=f"{address}/alerts.atom")
    _add(feed, "link", rel="alternate", type="text/html", href=f"{address}/alerts")
    for one in alerts:
        entry = _add(feed, "entry")
        _add(entry, "id", f"urn:uuid:{one.alert_id}")
        _add(entry, "title", f"{one.number}: {say(one.kind)}")
        _add(entry, "updated", _moment(one.found_at))
        _add(entry, "published", _moment(one.happened_at))
        _add(entry, "category", term=one.kind)
        _add(entry, "link", rel="alternate", type="text/html", href=f"{address}/alerts/{one.alert_id}")
        _add(entry, "summary", str(told(one.sentence)) if full_text else say(one.kind), type="text")
    ElementTree.register_namespace("", ATOM)
    ElementTree.indent(feed)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def tag_of(document: bytes) -> str:
    """The entity tag of a document."""
    return f'"{sha256(document).hexdigest()[:32]}"'


def unchanged(tag: str, if_none_match: str | None) -> bool:
    """Whether who asks has this document already (RFC 9110, 13.1.2: compared weakly)."""
    known = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    return tag in known or known == ["*"]


def _add(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    element.text = _NEVER_IN_XML.sub("\ufffd", text) if text is not None else None
    return element


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

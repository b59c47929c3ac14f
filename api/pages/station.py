"""The station: the page a counter works on, and the sheet of printed codes that press its keys. The page holds no figure: its
script asks for everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from barcode.codex import Code128
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.dependencies import Asker
from api.pages import templates
from stockpile.errors import NotAllowed
from stockpile.rights import DESK
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

QUIET = 10
"""Blank modules before and after a code (ISO/IEC 15417)."""


@dataclass(frozen=True, slots=True)
class Command:
    """A key of the station as a code to scan. Letters alone: they are the same on most keyboards, and no asset tag."""

    code: str
    words: str


def _(words: str) -> str:
    """Marks words for the catalogue; the template translates them."""
    return words


COMMANDS = (
    Command("SPDOCONFIRM", _("Confirm")),
    Command("SPDOREMOVE", _("Remove the last line")),
    Command("SPDOUNDO", _("Undo the last document")),
    Command("SPDOCANCEL", _("Cancel, close")),
    Command("SPDOISSUE", _("Mode: issue")),
    Command("SPDORETURN", _("Mode: return")),
    Command("SPDODRAW", _("Mode: morning draw")),
    Command("SPDORECEIVE", _("Mode: receive")),
    Command("SPDOCOUNT", _("Mode: count")),
    Command("SPDOFIND", _("Mode: look up")),
    Command("SPDOGOOD", _("Last line: serviceable")),
    Command("SPDOBAD", _("Last line: unserviceable")),
    Command("SPDOCLEAR", _("Begin the list anew")),
    Command("SPDOHELP", _("Show all keys")),
)
"""The same codes stand in `station/commands.js`."""


@router.get("/station", response_class=HTMLResponse)
def station(request: Request, actor: Asker) -> HTMLResponse:
    """The counter's page. Raises NotAllowed: only a desk's roles work at a counter."""
    _need_desk(actor.role)
    return templates.TemplateResponse(request, "station/station.html")


@router.get("/station/commands", response_class=HTMLResponse)
def commands(request: Request, actor: Asker) -> HTMLResponse:
    """The sheet of printed codes. Raises NotAllowed."""
    _need_desk(actor.role)
    return templates.TemplateResponse(
        request,
        "station/commands.html",
        {"version": request.app.version, "commands": [(command, *bars(command.code)) for command in COMMANDS]},
    )


def bars(code: str) -> tuple[str, int]:
    """A Code 128 as the path of an SVG one unit high, and its width in modules with the blank around it."""
    (modules,) = Code128(code).build()
    path = "".join(f"M{n + QUIET} 0h1v1h-1z" for n, module in enumerate(modules) if module == "1")
    return path, len(modules) + 2 * QUIET


def _need_desk(role: str) -> None:
    if role not in DESK:
        raise NotAllowed(
            sentence("The station is for those who work at a counter: clerk, armourer or commander of a site.")
        )

"""What the station needs to start without a network: the list of exactly its files, by which its service worker keeps them whole or not
at all, its shell without anybody's name, the page of this device, and the page to bring vouchers in from another machine.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.dependencies import Asker
from api.pages import asker, templates
from stockpile.rights import CARRY, DESK, ENROL, RIGHTS, require

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).parent.parent / "static"
STATION = STATIC / "station"
WORKER = STATION / "offline" / "worker.js"
SHARED = ("stockpile.css", "stockpile.svg")
"""Files of other pages that the station's use too."""
KINDS = frozenset({".js", ".css", ".svg", ".woff2", ".json", ".png", ".webmanifest"})
TEMPLATES = ("station/station.html", "offline/device.html")

SHELL = "/station/shell"
DEVICE = "/station/device"
PAGES = {"/station": SHELL, DEVICE: DEVICE}
"""Page -> where the worker takes what it keeps of it."""
AT_A_SITE = DESK | RIGHTS[ENROL]
"""Roles that work with a site's devices."""


@router.get("/station/worker.js")
def worker(request: Request) -> Response:
    """The service worker with the list of its files: it changes when any of them does, and so the browser takes it anew."""
    files = station_files()
    version = _version([*files.values(), *map(_template, TEMPLATES)])
    script = "\n".join(
        (
            f"const VERSION = {json.dumps(version)};",
            f"const FILES = {json.dumps(files)};",
            f"const PAGES = {json.dumps(PAGES)};",
            WORKER.read_text(encoding="utf-8"),
        )
    )
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/station"}
    return Response(script, media_type="text/javascript", headers=headers)


def station_files() -> dict[str, str]:
    """The address of each file that the station is made of, with its SHA-256 in base64, as `integrity` takes it."""
    own = (path for path in STATION.rglob("*") if path.suffix in KINDS and path.is_file() and path != WORKER)
    paths = [*(STATIC / name for name in SHARED), *own]
    return {
        f"/static/{path.relative_to(STATIC).as_posix()}": b64encode(sha256(path.read_bytes()).digest()).decode()
        for path in sorted(paths)
    }


def _version(parts: list[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def _template(name: str) -> str:
    return sha256((Path(__file__).parent.parent / "templates" / name).read_bytes()).hexdigest()


@router.get(SHELL, response_class=HTMLResponse)
def shell(request: Request) -> HTMLResponse:
    """The station's page as the worker keeps it, for nobody in particular: its script asks for everything, or reads it here."""
    return templates.TemplateResponse(request, "station/station.html")


@router.get(DEVICE, response_class=HTMLResponse)
def device(request: Request) -> HTMLResponse:
    """This browser as a device of a site. The page knows nothing: its script asks, or reads what is kept here. Who works at no site is
    told so instead; the worker takes the page as nobody in particular.
    """
    actor = asker(request)
    onlooker = actor is not None and actor.role not in AT_A_SITE
    shown = {"version": request.app.version, "onlooker": onlooker}
    return templates.TemplateResponse(request, "offline/device.html", shown)


@router.get("/vouchers", response_class=HTMLResponse)
def vouchers(request: Request, actor: Asker) -> HTMLResponse:
    """Bring in what a device without a link wrote, from a file. Raises NotAllowed: only a desk's roles carry vouchers."""
    require(actor, CARRY)
    return templates.TemplateResponse(request, "offline/vouchers.html", {"version": request.app.version})

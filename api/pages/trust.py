"""How a device comes to trust this service: the authority's certificate, its fingerprint, and the way on each kind of device. For
everybody, and over plain HTTP too: it is needed before HTTPS works.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.pages import templates
from labels.marks import QUIET_MODULES, square
from labels.tags import Code
from stockpile.errors import NotFound
from stockpile.sentences import sentence
from stockpile.settings import read_settings
from stockpile.tls import Certificates, authority_der, find_certificates

router = APIRouter(include_in_schema=False)

PATH = "/trust"
FILE = "stockpile-authority"
NEVER_KEPT = {"Cache-Control": "no-cache"}


@router.get(PATH, response_class=HTMLResponse)
def trust(request: Request) -> HTMLResponse:
    """The page."""
    settings = read_settings()
    found = find_certificates(settings.data)
    pairs = found.fingerprint.split(":") if found else []
    shown = {
        "version": request.app.version,
        "lines": [" ".join(pairs[begin : begin + 8]) for begin in range(0, len(pairs), 8)],
        "until": f"{found.authority_until:%Y-%m-%d}" if found else None,
        "https": f"https://{reached_as(request, found)}:{settings.port}/" if found else None,
    }
    return templates.TemplateResponse(request, "trust.html", shown, headers=NEVER_KEPT)


@router.get(f"{PATH}/{FILE}.crt", response_class=Response)
def authority_file() -> Response:
    """The certificate in the form that every device takes."""
    return _file(authority_der(_needed()), "application/x-x509-ca-cert", "crt")


@router.get(f"{PATH}/{FILE}.pem", response_class=Response)
def authority_text() -> Response:
    """The certificate as text, for Linux."""
    return _file(_needed().authority_file.read_bytes(), "application/x-pem-file", "pem")


@router.get(f"{PATH}/address.svg", response_class=Response)
def address(request: Request) -> Response:
    """The address of the page as a QR code, for a phone."""
    host = reached_as(request, _needed())
    grid, blank = square(Code.QR, f"http://{host}:{read_settings().http_port}{PATH}"), QUIET_MODULES[Code.QR]
    path = "".join(f"M{x + blank} {y + blank}h{width}v{height}h-{width}z" for x, y, width, height in grid.rectangles())
    side = grid.size + 2 * blank
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path d="{path}"/></svg>'
    )
    return Response(drawing, media_type="image/svg+xml", headers=NEVER_KEPT)


def reached_as(request: Request, found: Certificates | None) -> str:
    """The name under which a device asked, as an address has it, if the certificate has it; else the first that it has."""
    names = found.names if found else ()
    asked = request.url.hostname or ""
    host = asked if asked in names or not names else names[0]
    return f"[{host}]" if ":" in host else host


def _needed() -> Certificates:
    found = find_certificates(read_settings().data)
    if found is None:
        raise NotFound(sentence("This service has no certificate of its own."))
    return found


def _file(content: bytes, kind: str, ending: str) -> Response:
    headers = {**NEVER_KEPT, "Content-Disposition": f'attachment; filename="{FILE}.{ending}"'}
    return Response(content, media_type=kind, headers=headers)

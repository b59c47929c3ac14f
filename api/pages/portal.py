"""The donor's start page: how far its consignments are, what wants its attention, and the log, verified by the donor's own browser against
the checkpoint that it keeps; and the page of end-use compliance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.alerts import ALERTS
from api.pages.consignments import PROGRESS, asked_of_donor, numbers_of
from api.pages.discrepancies import DISCREPANCIES
from api.pages.listing import HOST, Asked, Column, Listing, answer_list, asked_of, table
from api.pages.moments import MOMENTS
from api.pages.pictures_of_consignments import how_far, side_by_side, where_now
from api.pages.statements import STATEMENTS
from api.pages.transparency import CHECK
from api.words import N_
from stockpile.donors.attention import CertificateRow, certificates_in_force, statements_sent_back
from stockpile.donors.progress import Attention, ProgressRow
from stockpile.log import reading as log_reading
from stockpile.reports.inspections import inspections_due
from stockpile.reports.lines import Lines
from stockpile.reports.loss_timeliness import loss_timeliness
from stockpile.rights import DONOR, READ, Actor, reading, require
from stockpile.sites import day_on_the_walls

router = APIRouter(include_in_schema=False)

COUNTED_TO = 100
"""So many rows of a list are counted; where there are more, it says so."""


@dataclass(frozen=True, slots=True)
class Wants:
    """Something that wants attention: how much of it, whether there is more, where it is shown, and whether it is overdue."""

    label: str
    number: int
    link: str
    late: bool = False
    more: bool = False


@dataclass(slots=True)
class Portal:
    """What the page shows beside its rows, read in the same moment as they are."""

    wants: list[Wants] = field(default_factory=list)
    pictures: list[tuple[str, Markup]] = field(default_factory=list)
    certificates: list[CertificateRow] = field(default_factory=list)


PORTAL = replace(
    PROGRESS,
    path="/",
    title=N_("What became of what you sent"),
    question=N_("How far is each consignment, where is it now, and what wants your attention?"),
    filters=tuple(each for each in PROGRESS.filters if each not in MOMENTS and each.roles != HOST),
    template="portal.html",
)


def show_portal(request: Request, engine: Engine, actor: Actor) -> Response:
    """A donor's start page."""
    shown = Portal()

    def ask(connection: Connection, actor: Actor, asked: Asked) -> Lines[ProgressRow]:
        page = asked_of_donor(connection, actor, asked)
        if "format" not in request.query_params:
            whole = page if not asked.values else None
            shown.pictures = list(_pictures(page))
            shown.certificates = certificates_in_force(connection, actor)
            shown.wants = list(_wants(connection, actor, whole, shown.certificates))
        return page

    with log_reading.reading_log(engine) as connection:
        newest = log_reading.published(connection) if log_reading.is_published(connection) else None
    return answer_list(replace(PORTAL, ask=ask), request, engine, actor, portal=shown, newest=newest)


def _pictures(page: Lines[ProgressRow]) -> Iterator[tuple[str, Markup]]:
    if not page.rows:
        return
    numbers = numbers_of(page)
    yield N_("How far it is"), how_far(numbers)
    yield N_("Where it is now"), where_now(numbers)
    yield N_("Where each consignment is now"), side_by_side(page.rows)


def _wants(
    connection: Connection, actor: Actor, whole: Lines[ProgressRow] | None, certificates: list[CertificateRow]
) -> Iterator[Wants]:
    """What wants attention, of all consignments. Of a list that is narrowed the sums tell only of a part: then those are left out."""
    today = day_on_the_walls(connection, actor.time_zone).isoformat()
    if whole is not None:
        sums = numbers_of(whole)
        late, unverified = whole.sums[-2:]
        yield Wants(N_("Consignments late"), late, PORTAL.link(attention=Attention.LATE), late=True)
        yield Wants(N_("Pieces short"), sums["short"], PORTAL.link(attention=Attention.SHORT), late=True)
        yield Wants(
            N_("Pieces missing or lost"),
            sums["missing"] + sums["lost"],
            PORTAL.link(attention=Attention.GONE),
            late=True,
        )
        yield Wants(N_("Pieces arrived and not verified"), unverified, PORTAL.link(attention=Attention.UNVERIFIED))
    if not actor.reads_only:
        yield _listed(connection, actor, N_("Alerts"), ALERTS)
    yield _listed(connection, actor, N_("Discrepancies overdue"), DISCREPANCIES, late=True, due_before=today)
    yield _listed(connection, actor, N_("Discrepancies open"), DISCREPANCIES)
    sent_back = statements_sent_back(connection, actor)
    yield Wants(N_("Sent back to you by the host"), sent_back, STATEMENTS.link(state="sent back"), late=True)
    yield _listed(connection, actor, N_("Your statements that wait for the host"), STATEMENTS, state="waiting")
    ending = sum(one.expires_soon or one.expired for one in certificates)
    yield Wants(N_("End-user certificates that expire within 90 days"), ending, "/end-use#certificates")


def _listed(connection: Connection, actor: Actor, label: str, this: Listing, late: bool = False, **asked: str) -> Wants:
    page = this.ask(connection, actor, asked_of(this, actor, asked, COUNTED_TO))
    return Wants(label, len(page.rows), this.link(**asked), late, page.cursor is not None)


CERTIFICATES = (
    Column("number", N_("End-user certificate"), "code", lambda row: f"/statements/{row.statement_id}"),
    Column("donor", N_("Donor"), "code", roles=HOST),
    Column("end_user", N_("End user")),
    Column("expires_on", N_("Holds until"), "day", none=N_("without end")),
    Column("expires_soon", N_("Expires within 90 days"), "flag"),
    Column("expired", N_("Expired"), "flag"),
)


@router.get("/end-use", response_class=HTMLResponse)
def end_use(request: Request, engine: Database, actor: Asker) -> Response:
    """End-use compliance: inspections due, losses reported in time, certificates that expire."""
    require(actor, READ)
    with reading(engine, actor) as connection:
        inspections = inspections_due(connection, actor, limit=1)
        losses = loss_timeliness(connection, actor, limit=1)
        certificates = certificates_in_force(connection, actor)
    shown: dict[str, Any] = {
        "inspections": inspections,
        "losses": losses,
        "certificates": table(CERTIFICATES, certificates, N_("No end-user certificate is in force."), actor.role),
        "consents": address("/statements", kind="consent"),
        "verifications": address("/statements", kind="delivery verification"),
        "is_donor": actor.role == DONOR,
        "reads_all": actor.consignments is None,
    }
    answer: Response = templates.TemplateResponse(request, "end_use.html", shown)
    return answer


NAMES = (
    "Malformed",
    "ProofFailed",
    "SignatureFailed",
    "openCheckpoint",
    "readKey",
    "strictBase64",
    "verifyConsistency",
)
"""What the portal's script needs of the page that checks proofs."""


@cache
def checkpoint_module() -> str:
    """How the page that checks proofs reads keys and checkpoints and compares two trees, as a module: what is checked here and there is
    one text.
    """
    script = CHECK.read_text(encoding="utf-8").partition("<script>\n")[2]
    return f"{script.partition('// The file')[0]}export {{ {', '.join(NAMES)} }};\n"


@router.get("/portal/checkpoint.js", response_class=Response)
def checkpoint_script() -> Response:
    """The script by which a browser verifies the log, for everybody: it knows nothing of these books."""
    return Response(
        checkpoint_module(), media_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"}
    )

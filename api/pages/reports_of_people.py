"""Reports of people and their papers: handovers that lack some, holders against the roster, and what is unusual. Each speaks as of any
moment on either clock, as the wall of who asks shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import (
    ANYWHERE,
    HOST,
    Asked,
    Column,
    Figure,
    Filter,
    Listing,
    answer_list,
    choice_filter,
    day_filter,
    hidden_filter,
    key_filter,
    site_filter,
)
from api.pages.moments import MOMENTS, as_of, read_moment
from api.pages.weapons import HELD
from api.words import N_
from stockpile.reports import handover_papers as papers_report
from stockpile.reports import holders as holders_report
from stockpile.reports import unusual as unusual_report
from stockpile.reports.export import PageOf
from stockpile.reports.handover_papers import Gap, HandoverPapers, PaperRow, PapersSought, handover_papers
from stockpile.reports.holders import Doubt, HolderRow, Holders, HoldersSought, doubtful_holders, weapons_of_holder
from stockpile.reports.holdings import ORDERS as WEAPON_ORDERS
from stockpile.reports.holdings import HoldingLine, Holdings
from stockpile.reports.thresholds import thresholds
from stockpile.reports.unusual import SIGNS, Unusual, UnusualRow, UnusualSought, unusual
from stockpile.rights import DONOR, Actor
from stockpile.sentences import joined, of_the_books

router = APIRouter(include_in_schema=False)


HIDDEN_AS_OF = (
    hidden_filter("as_of", N_("As of"), read=read_moment, fixed=True),
    hidden_filter("recorded_as_of", N_("As the books said"), read=read_moment, fixed=True),
)
NARROWED = (
    Filter("unit", N_("Unit"), help=N_("Its code; with its people and sub-units"), roles=HOST),
    Filter("model", N_("Model"), help=N_("Its whole name, such as AKM")),
    Filter("donor", N_("Donor"), help=N_("Its code"), roles=HOST),
)
BETWEEN = (day_filter("since", N_("From")), day_filter("until", N_("To")))


def _papers(connection: Connection, actor: Actor, asked: Asked, everything: bool = False) -> HandoverPapers:
    values = dict(asked.values)
    at, gap = as_of(actor, values), values.pop("gap", None)
    sought = PapersSought(**values, gap=Gap(gap) if gap else None)
    return handover_papers(
        connection, actor, sought, at, limit=None if everything else asked.limit, cursor=asked.cursor, order=asked.order,
    )  # fmt: skip


def _paper_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, HandoverPapers)
    return (
        (N_("Documents looked at"), page.documents, "number"),
        (N_("Without complete papers"), page.incomplete, "number"),
        (N_("Of all"), page.incomplete_percent, "percent"),
        *((gap, number, "number", {"gap": gap}) for gap, number in page.by_gap.items()),
        (N_("Pieces not counted since opening"), page.not_counted, "number"),
    )


def _document(row: PaperRow | UnusualRow) -> str | None:
    return f"/documents/{row.document_id}" if row.document_id else None


PAPERS = Listing(
    path="/reports/handover-papers",
    name="handover-papers",
    title=N_("Handovers without complete papers"),
    question=papers_report.QUESTION,
    row=PaperRow,
    columns=(
        Column("document_number", N_("Document"), "code", _document),
        Column("act", N_("Act"), "term", _document),
        Column("lacks", N_("Lacks"), read=lambda row: joined(", ", map(of_the_books, row.lacks))),
        Column("happened_at", N_("Happened"), "moment"),
        Column("days_late", N_("Days later"), "number", read=lambda row: row.days_late or None),
        Column("receiver", N_("Receiver, or who returned"), "person",
               lambda row: f"/parties/{row.receiver_id}" if row.receiver_id else None, roles=HOST),
        Column("quantity", N_("Pieces"), "number", lambda row: f"/documents/{row.document_id}#lines"),
        Column("not_counted", N_("Not counted"), "number", lambda row: f"/documents/{row.document_id}#lines",
               read=lambda row: row.not_counted or None, sparse=True),
        Column("site", N_("Site"), "code"),
        Column("recorded_at", N_("Recorded"), "moment"),
    ),
    filters=(choice_filter("gap", N_("Lacks"), Gap), *NARROWED, *BETWEEN, *MOMENTS, site_filter()),
    empty=N_("The papers of every handover are complete."),
    ask=_papers,
    every=lambda connection, actor, asked: _papers(connection, actor, asked, everything=True).rows,
    orders=papers_report.ORDERS,
    default=papers_report.NEWEST_FIRST,
    figures=_paper_figures,
)  # fmt: skip


def _holders(connection: Connection, actor: Actor, asked: Asked, everything: bool = False) -> Holders:
    values = dict(asked.values)
    at, doubt = as_of(actor, values), values.pop("doubt", None)
    sought = HoldersSought(**values, doubt=Doubt(doubt) if doubt else None)
    return doubtful_holders(
        connection, actor, sought, at, limit=None if everything else asked.limit, cursor=asked.cursor, order=asked.order,
    )  # fmt: skip


def _holder_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Holders)
    return (
        (N_("The roster of"), page.on, "day"),
        (N_("Holders"), page.holders, "number"),
        (N_("Pieces"), page.quantity, "number"),
        *((doubt, number, "number", {"doubt": doubt}) for doubt, number in page.by_doubt.items()),
    )


def weapons_behind(row: HolderRow, asked: Mapping[str, str]) -> str:
    """Where the weapons of a line are told, of what the report was asked for."""
    of = {"account": row.account_id} if row.account_id else {"unit": row.unit}
    return address("/reports/holders/weapons", **{**asked, **({"model": row.model} if row.model else {}), **of})


HOLDERS = Listing(
    path="/reports/holders",
    name="holders",
    title=N_("Holders against the roster"),
    question=holders_report.QUESTION,
    row=HolderRow,
    columns=(
        Column("holder", N_("Holder"), "person", lambda row: f"/parties/{row.party_id}"),
        Column("doubt", N_("What speaks against it"), "term"),
        Column("reason", N_("Why")),
        Column("unit", N_("Unit"), "code", lambda row: address("/search", q=row.unit) if row.unit else None),
        Column("site", N_("Site"), "code"),
        Column("model", N_("Model"), sparse=True),
        Column("quantity", N_("Pieces"), "number", lambda row: weapons_behind(row, {})),
    ),
    filters=(choice_filter("doubt", N_("What speaks against it"), Doubt), *NARROWED, *MOMENTS, site_filter()),
    empty=N_("Whoever holds something is on the roster, and may."),
    ask=_holders,
    every=lambda connection, actor, asked: _holders(connection, actor, asked, everything=True).rows,
    orders=holders_report.ORDERS,
    default=holders_report.MOST_FIRST,
    figures=_holder_figures,
)


def _behind(connection: Connection, actor: Actor, asked: Asked) -> Holdings:
    values = dict(asked.values)
    at = as_of(actor, values)
    account, unit = values.pop("account", None), values.pop("unit", None)
    return weapons_of_holder(
        connection, actor, account, unit, HoldersSought(**values), at, asked.limit, asked.cursor, asked.order
    )  # fmt: skip


BEHIND_HOLDER = Listing(
    path="/reports/holders/weapons",
    name="weapons-of-holder",
    title=N_("The weapons behind a holder"),
    question=N_("Which pieces does it hold, since when and under which document?"),
    row=HoldingLine,
    columns=HELD,
    filters=(
        key_filter("account", N_("On the account"), fixed=True),
        hidden_filter("unit", N_("Of the unit"), fixed=True),
        hidden_filter("model", N_("Of the model"), fixed=True),
        hidden_filter("donor", N_("Of the donor"), fixed=True),
        hidden_filter("site", N_("At the site"), fixed=True, roles=ANYWHERE),
        *HIDDEN_AS_OF,
    ),
    empty=N_("Nothing is held."),
    ask=_behind,
    orders=WEAPON_ORDERS,
    default="model",
)


def _unusual(connection: Connection, actor: Actor, asked: Asked, everything: bool = False) -> Unusual:
    values = dict(asked.values)
    at = as_of(actor, values)
    return unusual(
        connection, actor, UnusualSought(**values), at, limit=None if everything else asked.limit, cursor=asked.cursor, order=asked.order,
    )  # fmt: skip


def _sign_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Unusual)
    return [(sign, number, "number", {"sign": sign}) for sign, number in page.by_sign.items()]


UNUSUAL = Listing(
    path="/reports/unusual",
    name="unusual",
    title=N_("Unusual"),
    question=unusual_report.QUESTION,
    row=UnusualRow,
    columns=(
        Column("sign", N_("Sign"), "term"),
        Column("reason", N_("Why")),
        Column("happened_at", N_("Happened"), "moment"),
        Column("site", N_("Site"), "code"),
        Column("document_number", N_("Document"), "code", _document),
        Column("count", N_("Count"), "code", lambda row: f"/counts/{row.count_id}" if row.count_id else None, sparse=True),
        Column("serial_number", N_("Weapon"), "code", lambda row: f"/weapons/{row.item_id}" if row.item_id else None,
               read=lambda row: row.serial_number or row.asset_tag, sparse=True),
        Column("model", N_("Model"), sparse=True),
        Column("person", N_("Who"), "person", lambda row: f"/parties/{row.party_id}" if row.party_id else None, roles=HOST),
        Column("recorded_at", N_("Recorded"), "moment"),
    ),
    filters=(choice_filter("sign", N_("Sign"), [sign.name for sign in SIGNS]), *NARROWED, *BETWEEN, *MOMENTS, site_filter()),
    empty=N_("Nothing unusual."),
    ask=_unusual,
    every=lambda connection, actor, asked: _unusual(connection, actor, asked, everything=True).rows,
    orders=unusual_report.ORDERS,
    default=unusual_report.NEWEST_FIRST,
    figures=_sign_figures,
    template="unusual.html",
)  # fmt: skip


@router.get("/reports/handover-papers", response_class=HTMLResponse)
def of_papers(request: Request, engine: Database, actor: Asker) -> Response:
    """Handovers without complete papers."""
    return answer_list(PAPERS, request, engine, actor)


@router.get("/reports/holders", response_class=HTMLResponse)
def of_holders(request: Request, engine: Database, actor: Asker) -> Response:
    """Holders against the roster; a number leads to its weapons as of the same moments."""
    kept = ("donor", "model", "site", *(each.name for each in MOMENTS))
    asked = {name: value for name in kept if (value := request.query_params.get(name, "").strip())}

    def behind(row: HolderRow) -> str:
        return weapons_behind(row, asked)

    columns = tuple(replace(one, link=behind) if one.name == "quantity" else one for one in HOLDERS.columns)
    return answer_list(replace(HOLDERS, columns=columns), request, engine, actor)


@router.get("/reports/holders/weapons", response_class=HTMLResponse)
def of_one_holder(request: Request, engine: Database, actor: Asker) -> Response:
    """The weapons behind a holder's number."""
    return answer_list(BEHIND_HOLDER, request, engine, actor)


@router.get("/reports/unusual", response_class=HTMLResponse)
def of_signs(request: Request, engine: Database, actor: Asker) -> Response:
    """What is unusual, and why each is a sign."""
    told = [
        (sign, [thresholds()[name.replace("_", " ")] for name in sign.thresholds])
        for sign in SIGNS
        if sign.of_donor or actor.role != DONOR
    ]
    return answer_list(UNUSUAL, request, engine, actor, signs=told)

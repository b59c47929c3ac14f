"""Reports of weapons: losses, consignments, what is on its way, records that cannot be right, what is unaccounted for; and those that are
looked at as pictures, each with its table: holdings over time, flows, losses by month, ages in transit, counts kept in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Figure,
    Filter,
    Listing,
    Way,
    answer_list,
    asked_of,
    choice_filter,
    day_filter,
    flag_filter,
    hidden_filter,
    key_filter,
    site_filter,
)
from api.pages.moments import MOMENTS, RECORDED, as_of, carrying
from api.pages.navigation import EVERYBODY, WHO_FOLLOWS
from api.pages.pictures_of_reports import (
    ages_of_transits,
    compliance_by_site,
    flows_between_places,
    losses_by_month,
    over_time,
)
from api.pages.sites import CLASS_LABELS
from api.words import N_
from stockpile.acts.loss import Cause
from stockpile.errors import StockpileError
from stockpile.movements import BALANCED, AccountClass
from stockpile.reports import consignments, count_compliance, flows, losses, records, transit
from stockpile.reports import over_time as over_time_report
from stockpile.reports import unaccounted as unaccounted_report
from stockpile.reports.consignments import ConsignmentLine, ConsignmentRow, ConsignmentsSought, Fate
from stockpile.reports.count_compliance import ComplianceLine
from stockpile.reports.export import PageOf
from stockpile.reports.flows import FlowRow, FlowsSought, Movement
from stockpile.reports.keyset import Page, page_of
from stockpile.reports.lines import Lines
from stockpile.reports.losses import OVERRUN, UNKNOWN_CAUSE, By, LossesSought, LossSum, LostPiece
from stockpile.reports.over_time import MonthLine
from stockpile.reports.records import RecordRow, Records, Wrong, wrong_records
from stockpile.reports.registers import Sought as SoughtRegisters
from stockpile.reports.registers import list_registers
from stockpile.reports.transit import TransitPiece, TransitRow, TransitSought
from stockpile.reports.unaccounted import Unaccounted, UnaccountedLine, unaccounted
from stockpile.rights import READ_PEOPLE, Actor, reading, require

router = APIRouter(include_in_schema=False)

DONOR_FILTER = Filter("donor", N_("Donor"), help=N_("Its code"), roles=HOST)
MODEL_FILTER = Filter("model", N_("Model"), help=N_("Its whole name, such as AKM"))
EVERY_ROW = 1000


def _sums(*labels: tuple[str, str]) -> Any:
    """Figures above a list from the sums of its lines, in their order."""

    def figures(page: PageOf[Any]) -> Sequence[Figure]:
        assert isinstance(page, Lines)
        return [(label, value, kind) for (label, kind), value in zip(labels, page.sums, strict=True)]

    return figures


def _losses(connection: Connection, actor: Actor, asked: Asked) -> Lines[LossSum]:
    values = dict(asked.values)
    by, at = By(values.pop("by", By.TIME)), as_of(actor, values)
    return losses.losses_by(connection, actor, by, LossesSought(**values), at, asked.limit, asked.cursor, asked.order)


OF_LINE = {By.UNIT: "unit", By.CAUSE: "cause", By.MODEL: "model", By.SITE: "site", By.DONOR: "donor"}


def _lost(row: LossSum, **more: str) -> str:
    """The pieces of a line."""
    if row.by is By.TIME and row.day is not None:
        last = (row.day + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        return address("/reports/lost", since=row.day, until=last, **more)
    if row.by is By.UNIT and row.what is None:
        return address("/reports/lost", no_unit="yes", **more)
    return address("/reports/lost", **{OF_LINE[row.by]: row.what}, **more)


def _of_state(name: str, label: str) -> Column:
    def link(row: LossSum) -> str | None:
        return _lost(row, state=name) if getattr(row, name) else None

    return Column(name, label, "number", link)


CAUSES = (*get_args(Cause), OVERRUN, UNKNOWN_CAUSE)
LOSS_FIGURES = _sums(
    (N_("Loss reports"), "number"), (N_("Pieces lost"), "number"), (N_("Still missing"), "number"), (N_("Concluded"), "number"),
    (N_("Found again"), "number"), (N_("Oldest open investigation (days)"), "number"),
)  # fmt: skip
LOSS_FILTERS = (
    MODEL_FILTER, choice_filter("cause", N_("Cause"), CAUSES), Filter("unit", N_("Unit"), help=N_("Its code"), roles=HOST),
    day_filter("since", N_("Lost from")), day_filter("until", N_("Lost to")), DONOR_FILTER, site_filter(), *MOMENTS,
)  # fmt: skip
CARRIED = ("donor", "site", "model", "cause", "unit", "since", "until", "state")
LOSSES_BY = Listing(
    path="/reports/losses-by",
    name="losses-by",
    title=N_("Losses by unit, cause, model and month"),
    question=losses.QUESTION,
    row=LossSum,
    columns=(
        Column("what", N_("Of"), link=lambda row: _lost(row), none=N_("no unit")),
        Column("reports", N_("Loss reports"), "number", lambda row: _lost(row)),
        Column("lost", N_("Pieces lost"), "number", lambda row: _lost(row)),
        _of_state("missing", N_("Still missing")),
        _of_state("concluded", N_("Concluded")),
        _of_state("found", N_("Found again")),
        Column("oldest_days", N_("Oldest open (days)"), "number"),
    ),
    filters=(choice_filter("by", N_("A line for each"), By, any=N_("time")), *LOSS_FILTERS),
    empty=N_("Nothing was lost."),
    ask=_losses,
    orders=losses.SUM_ORDERS,
    default="what",
    figures=LOSS_FIGURES,
    template="report.html",
    ways=(
        Way(N_("Open investigations"), "/reports/lost?state=missing&order=-days_open", EVERYBODY),
        Way(N_("How soon losses are reported"), "/reports/losses", EVERYBODY),
    ),
)


def _pieces(connection: Connection, actor: Actor, asked: Asked) -> Lines[LostPiece]:
    values = dict(asked.values)
    at, state = as_of(actor, values), values.pop("state", None)
    sought = LossesSought(**values, state=losses.State(state) if state else None)
    return losses.lost_pieces(connection, actor, sought, at, asked.limit, asked.cursor, asked.order)


def _item(row: Any) -> str | None:
    return f"/weapons/{row.item_id}" if row.item_id else None


LOST = Listing(
    path="/reports/lost",
    name="lost",
    title=N_("What was lost, and the open investigations"),
    question=N_("Which weapons were lost, what became of each, and how long has each open investigation lasted?"),
    row=LostPiece,
    columns=(
        Column("model", N_("Model"), link=_item),
        Column("serial_number", N_("Serial number"), "code", _item),
        Column("asset_tag", N_("Asset tag"), "code", _item),
        Column("quantity", N_("Pieces"), "number"),
        Column("state", N_("State"), "term"),
        Column("cause", N_("Cause"), "term"),
        Column("unit", N_("Unit"), "code", lambda row: address("/search", q=row.unit) if row.unit else None, roles=HOST),
        Column("held_by", N_("Lost by"), "person", roles=HOST),
        Column("donor", N_("Donor"), "code"),
        Column("site", N_("Site"), "code"),
        Column("lost_on", N_("Lost"), "day"),
        Column("reported_on", N_("Reported"), "day"),
        Column("days_to_report", N_("Days until reported"), "number"),
        Column("late", N_("Reported late"), "flag"),
        Column("days_open", N_("Days open"), "number"),
        Column("document_number", N_("Loss report"), "code", lambda row: f"/documents/{row.document_id}"),
        Column("ended_by_number", N_("Ended by"), "code", lambda row: f"/documents/{row.ended_by}" if row.ended_by else None),
    ),
    filters=(
        choice_filter("state", N_("State"), losses.State), *LOSS_FILTERS,
        hidden_filter("no_unit", N_("Lost by no unit."), read=lambda text: True),
    ),
    empty=N_("Nothing was lost."),
    ask=_pieces,
    orders=losses.PIECE_ORDERS,
    default="lost_on",
    figures=LOSS_FIGURES,
    template="report.html",
)  # fmt: skip


def _consignments(connection: Connection, actor: Actor, asked: Asked) -> Lines[ConsignmentRow]:
    values = dict(asked.values)
    at, state = as_of(actor, values), values.pop("state", None)
    sought = ConsignmentsSought(
        values.get("donor"), values.get("site"), values.get("consignment"), consignments.State(state) if state else None
    )
    return consignments.list_consignments(connection, actor, sought, at, asked.limit, asked.cursor, asked.order)


def _lines_of(row: ConsignmentRow, fate: Fate | None = None) -> str:
    return address("/reports/consignments/lines", consignment=row.reference, donor=row.donor, fate=fate)


def _of_fate(name: str, label: str, fate: Fate | None = None) -> Column:
    def link(row: ConsignmentRow) -> str | None:
        return _lines_of(row, fate) if getattr(row, name) else None

    return Column(name, label, "number", link)


CONSIGNMENTS = Listing(
    path="/reports/consignments",
    name="consignments",
    title=N_("Consignments"),
    question=consignments.QUESTION,
    row=ConsignmentRow,
    columns=(
        Column("reference", N_("Consignment"), "code", _lines_of),
        Column("donor", N_("Donor"), "code"),
        Column("site", N_("Site"), "code"),
        Column("declared_at", N_("Declared on"), "moment"),
        Column("expected_on", N_("Expected"), "day"),
        _of_fate("declared", N_("Declared")),
        _of_fate("shipped", N_("Shipped")),
        _of_fate("received", N_("Received"), Fate.RECEIVED),
        _of_fate("rejected", N_("Rejected"), Fate.REJECTED),
        _of_fate("awaited", N_("Awaited")),
        _of_fate("short", N_("Short")),
        _of_fate("excess", N_("Excess"), Fate.EXCESS),
        _of_fate("late_pieces", N_("Late")),
        Column("days_late", N_("Days late"), "number"),
    ),
    filters=(
        Filter("consignment", N_("Consignment"), help=N_("The donor's number of it")),
        choice_filter("state", N_("State"), consignments.State),
        DONOR_FILTER,
        site_filter(),
        *MOMENTS,
    ),
    empty=N_("No consignment fits."),
    ask=_consignments,
    orders=consignments.ORDERS,
    default="declared_at",
    figures=_sums(
        (N_("Consignments"), "number"), (N_("Declared"), "number"), (N_("Shipped"), "number"), (N_("Received"), "number"),
        (N_("Rejected"), "number"), (N_("Awaited"), "number"), (N_("Short"), "number"), (N_("Excess"), "number"), (N_("Late"), "number"),
    ),
    template="report.html",
    ways=(Way(N_("How far each is, and where now"), "/consignments", WHO_FOLLOWS),),
)  # fmt: skip


def _consignment_lines(connection: Connection, actor: Actor, asked: Asked) -> Lines[ConsignmentLine]:
    values = dict(asked.values)
    at, fate = as_of(actor, values), values.pop("fate", None)
    sought = ConsignmentsSought(values.get("donor"), values.get("site"), values.get("consignment"))
    return consignments.list_consignment_lines(
        connection, actor, sought, Fate(fate) if fate else None, at, asked.limit, asked.cursor, asked.order
    )


CONSIGNMENT_LINES = Listing(
    path="/reports/consignments/lines",
    name="consignment-lines",
    title=N_("The weapons of a consignment"),
    question=N_("What became of each weapon that was declared, and what came beside them?"),
    row=ConsignmentLine,
    columns=(
        Column("model", N_("Model"), link=_item),
        Column("serial_number", N_("Serial number"), "code", _item),
        Column("asset_tag", N_("Asset tag"), "code", _item),
        Column("lot", N_("Lot"), "code"),
        Column("fate", N_("What became of it"), "term"),
        Column("declared", N_("Declared"), "number"),
        Column("shipped", N_("Shipped"), "number"),
        Column("received", N_("Received"), "number"),
        Column("rejected", N_("Rejected"), "number"),
        Column("excess", N_("Excess"), "number"),
        Column("received_on", N_("Came on"), "day"),
    ),
    filters=(
        choice_filter("fate", N_("What became of it"), Fate),
        *MOMENTS,
        hidden_filter("consignment", N_("Of the consignment"), fixed=True),
        hidden_filter("donor", N_("Of the donor"), fixed=True),
    ),
    empty=N_("Nothing of it fits."),
    ask=_consignment_lines,
    orders=consignments.LINE_ORDERS,
    default="model",
    figures=_sums(
        (N_("Lines"), "number"), (N_("Declared"), "number"), (N_("Shipped"), "number"), (N_("Received"), "number"),
        (N_("Rejected"), "number"),
        (N_("Excess"), "number"),
    ),
)  # fmt: skip


def _transit(connection: Connection, actor: Actor, asked: Asked) -> Lines[TransitRow]:
    values = dict(asked.values)
    at = as_of(actor, values)
    return transit.in_transit(connection, actor, TransitSought(**values), at, asked.limit, asked.cursor, asked.order)


def _pieces_of(row: TransitRow) -> str:
    return address("/reports/transit/pieces", shipment=row.number)


TRANSIT = Listing(
    path="/reports/transit",
    name="in-transit",
    title=N_("On its way, and overdue"),
    question=transit.QUESTION,
    row=TransitRow,
    columns=(
        Column("number", N_("Shipping order"), "code", lambda row: f"/shipments/{row.shipment_id}"),
        Column("from_site", N_("From"), "code"),
        Column("to_site", N_("To"), "code"),
        Column("consignment", N_("Consignment"), "code"),
        Column("carried_by", N_("Carried by")),
        Column("shipped_at", N_("Shipped"), "moment"),
        Column("expected_on", N_("Expected"), "day"),
        Column("outstanding", N_("On its way"), "number", _pieces_of),
        Column("days_on_way", N_("Days on its way"), "number", _pieces_of),
        Column("days_overdue", N_("Days overdue"), "number", _pieces_of),
    ),
    filters=(
        flag_filter("overdue", N_("Overdue")),
        MODEL_FILTER,
        site_filter("from_site", N_("From"), roles=HOST),
        site_filter("to_site", N_("To"), roles=HOST),
        Filter("shipment", N_("Shipping order"), help=N_("Its number")),
        *MOMENTS,
    ),
    empty=N_("Nothing is on its way."),
    ask=_transit,
    orders=transit.ORDERS,
    default="expected_on",
    figures=_sums(
        (N_("Shipments"), "number"), (N_("Pieces"), "number"), (N_("Shipments overdue"), "number"), (N_("Pieces overdue"), "number"),
        (N_("Longest on its way (days)"), "number"),
    ),
    template="report.html",
    ways=(Way(N_("All shipments, arrived ones too"), "/shipments"),),
)  # fmt: skip


def _transit_pieces(connection: Connection, actor: Actor, asked: Asked) -> Lines[TransitPiece]:
    values = dict(asked.values)
    at = as_of(actor, values)
    return transit.pieces_in_transit(
        connection, actor, TransitSought(**values), at, asked.limit, asked.cursor, asked.order
    )


TRANSIT_PIECES = Listing(
    path="/reports/transit/pieces",
    name="pieces-in-transit",
    title=N_("The weapons on their way"),
    question=N_("Which weapons are on their way, with which shipment, and for how long?"),
    row=TransitPiece,
    columns=(
        Column("model", N_("Model"), link=_item),
        Column("serial_number", N_("Serial number"), "code", _item),
        Column("asset_tag", N_("Asset tag"), "code", _item),
        Column("quantity", N_("Pieces"), "number"),
        Column("number", N_("Shipping order"), "code", lambda row: f"/shipments/{row.shipment_id}"),
        Column("from_site", N_("From"), "code"),
        Column("to_site", N_("To"), "code"),
        Column("expected_on", N_("Expected"), "day"),
        Column("days_on_way", N_("Days on its way"), "number"),
        Column("days_overdue", N_("Days overdue"), "number"),
    ),
    filters=TRANSIT.filters,
    empty=N_("Nothing is on its way."),
    ask=_transit_pieces,
    orders=transit.LINE_ORDERS,
    default="expected_on",
    figures=_sums((N_("Lines"), "number"), (N_("Pieces"), "number")),
)


def _records(connection: Connection, actor: Actor, asked: Asked) -> PageOf[RecordRow]:
    require(actor, READ_PEOPLE)
    register, wrong = asked.values.get("register"), asked.values.get("wrong")
    if register is None:
        return Page((), None)
    return wrong_records(
        connection, actor, register, Wrong(wrong) if wrong else None, asked.limit, asked.cursor, asked.order
    )


def _record_figures(page: PageOf[Any]) -> Sequence[Figure]:
    if not isinstance(page, Records):
        return ()
    return (
        (N_("Records"), page.lines, "number"),
        (N_("Serial numbers"), page.serial_numbers, "number"),
        (N_("Numbers that stand several times"), page.repeated_numbers, "number"),
        (N_("Repeated"), page.repeated, "number"),
        (N_("Conflicting"), page.conflicting, "number"),
        (N_("Incomplete"), page.incomplete, "number"),
        (N_("Repeated, incomplete or both"), page.wrong, "number"),
        (N_("Set aside unread"), page.set_aside, "number"),
    )


RECORDS = Listing(
    path="/reports/records",
    name="wrong-records",
    title=N_("Repeated, conflicting and incomplete records"),
    question=records.QUESTION,
    row=RecordRow,
    columns=(
        Column("line", N_("Line"), "number"),
        Column("model", N_("Model")),
        Column(
            "serial_number",
            N_("Serial number"),
            "code",
            lambda row: _item(row) or address("/search", q=row.serial_number),
        ),
        Column("quantity", N_("Pieces"), "number"),
        Column("times", N_("Times"), "number"),
        Column("conflicts", N_("Differ in"), "term"),
        Column("lacks", N_("Lacks"), "term"),
        Column("unit", N_("Unit"), "code"),
        Column("holder", N_("Holder")),
        Column("shipped_on", N_("Shipped"), "day"),
        Column("received_on", N_("Received"), "day"),
        Column("dated_on", N_("Dated"), "day"),
    ),
    filters=(choice_filter("wrong", N_("What is wrong"), Wrong), key_filter("register", N_("Of one register."))),
    empty=N_("Choose a register; or nothing is wrong with this one."),
    ask=_records,
    orders=records.ORDERS,
    default="line",
    figures=_record_figures,
    template="records.html",
)


def _unaccounted(connection: Connection, actor: Actor, asked: Asked) -> Unaccounted:
    return unaccounted(connection, actor, asked.values.get("audit"), asked.limit, asked.cursor, asked.order)


def _unaccounted_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Unaccounted)
    if page.audit is None:
        return ()
    return (
        (N_("Audit"), page.audit, "text"),
        (N_("Left"), page.left_list, "text"),
        (N_("Right"), page.right_list, "text"),
        (N_("Compared"), page.recorded_at, "moment"),
        (N_("Pieces left"), page.left, "number"),
        (N_("Pieces right"), page.right, "number"),
        (N_("Unaccounted for"), page.unaccounted, "number"),
        (N_("Only right"), page.not_left, "number"),
    )


def _findings(row: UnaccountedLine) -> str:
    return address("/audits/findings", model=row.model)


UNACCOUNTED = Listing(
    path="/reports/unaccounted",
    name="unaccounted",
    title=N_("Unaccounted for"),
    question=unaccounted_report.QUESTION,
    row=UnaccountedLine,
    columns=(
        Column("model", N_("Model"), link=_findings),
        Column("left", N_("Pieces left"), "number", _findings),
        Column("right", N_("Pieces right"), "number", _findings),
        Column("unaccounted", N_("Unaccounted for"), "number", _findings),
        Column("not_left", N_("Only right"), "number", _findings),
    ),
    filters=(Filter("audit", N_("Audit"), help=N_("Its name, or name#run; left out: the newest")),),
    empty=N_("No two lists were compared yet."),
    ask=_unaccounted,
    orders=unaccounted_report.ORDERS,
    default="model",
    figures=_unaccounted_figures,
    template="report.html",
    ways=(Way(N_("All audits, and comparing two lists"), "/audits"),),
)


def _over_time(connection: Connection, actor: Actor, asked: Asked) -> Page[MonthLine]:
    values = dict(asked.values)
    lines = over_time_report.holdings_over_time(connection, actor, as_of(actor, values), **values)
    return page_of(lines, lambda line: (line.on.isoformat(),), asked.limit, asked.cursor, asked.order, OVER_TIME_ORDERS)


OVER_TIME_ORDERS = ("on", *(str(one) for one in BALANCED))


def _weapons_then(one: str) -> Any:
    return lambda line: address("/weapons", **{"class": one, "as_of": line.on}) if getattr(line, one) else None


OVER_TIME = Listing(
    path="/reports/holdings-over-time",
    name="holdings-over-time",
    title=N_("Holdings over time"),
    question=over_time_report.QUESTION,
    row=MonthLine,
    columns=(
        Column("on", N_("At the end of"), "day"),
        *(Column(str(one), CLASS_LABELS[one], "number", _weapons_then(str(one)), sparse=True) for one in BALANCED),
    ),
    filters=(MODEL_FILTER, DONOR_FILTER, site_filter(), *MOMENTS),
    empty=N_("Nothing has come in."),
    ask=_over_time,
    orders=OVER_TIME_ORDERS,
    default="on",
    template="report.html",
)


def _flows_sought(actor: Actor, values: dict[str, Any]) -> FlowsSought:
    at, wall = as_of(actor, values), ZoneInfo(actor.time_zone or "UTC")
    since, until = values.pop("since", None), values.pop("until", None)
    begin = datetime.combine(since, time(), wall) if since else None
    end = datetime.combine(until + timedelta(days=1), time(), wall) - timedelta(microseconds=1) if until else None
    return FlowsSought(**values, since=begin, until=end, recorded_at=at.recorded_at)


def _flows(connection: Connection, actor: Actor, asked: Asked) -> Page[FlowRow]:
    found = flows.flows(connection, actor, _flows_sought(actor, dict(asked.values)))
    return page_of(
        found, lambda row: (str(row.origin), str(row.place)), asked.limit, asked.cursor, asked.order, FLOW_ORDERS
    )


def _movements(connection: Connection, actor: Actor, asked: Asked) -> Page[Movement]:
    values = dict(asked.values)
    origin, place = values.pop("origin", "outside"), values.pop("place", "store")
    sought = _flows_sought(actor, values)
    return flows.flow_movements(
        connection, actor, AccountClass(origin), AccountClass(place), sought, asked.limit, asked.cursor, asked.order
    )


FLOW_ORDERS = ("origin", "place", "pieces")
FLOW_FILTERS = (
    day_filter("since", N_("From the day")), day_filter("until", N_("To the day")), MODEL_FILTER, DONOR_FILTER, site_filter(), RECORDED,
)  # fmt: skip
FLOWS = Listing(
    path="/reports/flows",
    name="flows",
    title=N_("Flow of weapons"),
    question=flows.QUESTION,
    row=FlowRow,
    columns=(
        Column("origin", N_("From"), "place"),
        Column("place", N_("To"), "place"),
        Column("pieces", N_("Pieces"), "number", lambda row: address("/reports/flows/movements", origin=row.origin, place=row.place)),
    ),
    filters=FLOW_FILTERS,
    empty=N_("Nothing moved."),
    ask=_flows,
    orders=FLOW_ORDERS,
    default="origin",
    template="report.html",
)  # fmt: skip


MOVEMENTS = Listing(
    path="/reports/flows/movements",
    name="movements",
    title=N_("The movements of a flow"),
    question=N_("Which weapons went from one kind of place to the other, when, under which document?"),
    row=Movement,
    columns=(
        Column("happened_at", N_("Happened"), "moment"),
        Column("model", N_("Model"), link=_item),
        Column("serial_number", N_("Serial number"), "code", _item),
        Column("asset_tag", N_("Asset tag"), "code", _item),
        Column("quantity", N_("Pieces"), "number"),
        Column("act", N_("Act"), "term"),
        Column("document_number", N_("Document"), "code", lambda row: f"/documents/{row.document_id}"),
        Column("recorded_at", N_("Recorded"), "moment"),
    ),
    filters=(
        choice_filter("origin", N_("From"), AccountClass, any=N_("outside")),
        choice_filter("place", N_("To"), AccountClass, any=N_("store")),
        *FLOW_FILTERS,
    ),
    empty=N_("Nothing moved."),
    ask=_movements,
    orders=flows.MOVEMENT_ORDERS,
    default="happened_at",
)


def _compliance(connection: Connection, actor: Actor, asked: Asked) -> Page[ComplianceLine]:
    found = count_compliance.count_compliance(connection, actor, **asked.values)
    return page_of(found, lambda line: (line.site,), asked.limit, asked.cursor, asked.order, COMPLIANCE_ORDERS)


COMPLIANCE_ORDERS = (
    "site", "accounts", "accounts_overdue", "weapons", "in_time", "overdue", "never", "value", "overdue_value", "percent",
)  # fmt: skip


def _due(row: ComplianceLine) -> str:
    return address("/counts/due", site=row.site)


def _overdue(row: ComplianceLine) -> str:
    return address("/counts/due", site=row.site, overdue="yes")


COMPLIANCE = Listing(
    path="/reports/count-compliance",
    name="count-compliance",
    title=N_("Counts kept in time, by site"),
    question=count_compliance.QUESTION,
    row=ComplianceLine,
    columns=(
        Column("site", N_("Site"), "code", _due),
        Column("accounts", N_("Accounts"), "number", _due),
        Column("accounts_overdue", N_("Accounts overdue"), "number", _overdue),
        Column("weapons", N_("Weapons"), "number", _due),
        Column("in_time", N_("Counted in time"), "number", _due),
        Column("overdue", N_("Overdue"), "number", _overdue),
        Column("never", N_("Of these never counted"), "number", _overdue),
        Column("value", N_("Value"), "number", read=lambda row: row.value or None),
        Column("overdue_value", N_("Value of what is overdue"), "number", read=lambda row: row.overdue_value or None),
        Column("percent", N_("In time"), "percent"),
    ),
    filters=(site_filter(),),
    empty=N_("Nothing is to be counted by a period."),
    ask=_compliance,
    orders=COMPLIANCE_ORDERS,
    default="site",
    template="report.html",
    ways=(Way(N_("Counts due"), "/counts/due"),),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture above a table, and what it is called."""

    title: str
    drawing: Markup


def _drawn(
    this: Listing, request: Request, engine: Database, actor: Actor, title: str, draw: Any, **asked: str
) -> Drawn | None:
    """A picture of all that a list holds as it is asked for, whatever page of it is shown; none where it cannot be asked so."""
    given = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
    if given.get("format"):
        return None
    given = {name: value for name, value in {**given, **asked}.items() if name not in ("order", "cursor")}
    try:
        with reading(engine, actor) as connection:
            page = this.ask(connection, actor, asked_of(this, actor, given, EVERY_ROW))
    except StockpileError:
        return None  # the list itself says what is wrong
    return Drawn(title, draw(page.rows)) if page.rows else None


@router.get("/reports/losses-by", response_class=HTMLResponse)
def of_losses_by(request: Request, engine: Database, actor: Asker) -> Response:
    """Losses added up; by month as a picture."""
    picture = _drawn(LOSSES_BY, request, engine, actor, N_("Losses by month"), losses_by_month, by="time")
    return answer_list(
        carrying(LOSSES_BY, request, *CARRIED), request, engine, actor, picture=picture, finding=losses.FINDING
    )


@router.get("/reports/lost", response_class=HTMLResponse)
def of_lost(request: Request, engine: Database, actor: Asker) -> Response:
    """The pieces that were lost."""
    return answer_list(LOST, request, engine, actor)


@router.get("/reports/consignments", response_class=HTMLResponse)
def of_consignments(request: Request, engine: Database, actor: Asker) -> Response:
    """Consignments."""
    return answer_list(carrying(CONSIGNMENTS, request), request, engine, actor, finding=consignments.FINDING)


@router.get("/reports/consignments/lines", response_class=HTMLResponse)
def of_consignment_lines(request: Request, engine: Database, actor: Asker) -> Response:
    """The weapons of one consignment."""
    return answer_list(CONSIGNMENT_LINES, request, engine, actor)


@router.get("/reports/transit", response_class=HTMLResponse)
def of_transit(request: Request, engine: Database, actor: Asker) -> Response:
    """What is on its way; how long, as a picture."""
    picture = _drawn(TRANSIT, request, engine, actor, N_("How long pieces have been on their way"), ages_of_transits)
    return answer_list(carrying(TRANSIT, request), request, engine, actor, picture=picture, finding=transit.FINDING)


@router.get("/reports/transit/pieces", response_class=HTMLResponse)
def of_pieces_in_transit(request: Request, engine: Database, actor: Asker) -> Response:
    """The weapons on their way."""
    return answer_list(TRANSIT_PIECES, request, engine, actor)


@router.get("/reports/records", response_class=HTMLResponse)
def of_records(request: Request, engine: Database, actor: Asker) -> Response:
    """Records of one register that cannot all be right; without one, the registers to choose from."""
    registers: Sequence[tuple[UUID, str, int]] = ()
    if not request.query_params.get("register", "").strip():
        with reading(engine, actor) as connection:
            found = list_registers(connection, actor, SoughtRegisters(), 50).rows
        registers = [(one.register_id, one.name, one.line_count) for one in found]
    return answer_list(RECORDS, request, engine, actor, finding=records.FINDING, registers=registers)


@router.get("/reports/unaccounted", response_class=HTMLResponse)
def of_unaccounted(request: Request, engine: Database, actor: Asker) -> Response:
    """What one list has and the other has not."""
    audit = request.query_params.get("audit", "").strip()
    if not audit:
        with reading(engine, actor) as connection:
            audit = unaccounted(connection, actor, limit=1).audit or ""

    def link(row: UnaccountedLine) -> str:
        return address("/audits/findings", audit=audit, model=row.model)

    shown = replace(UNACCOUNTED, columns=tuple(replace(column, link=link) for column in UNACCOUNTED.columns))
    return answer_list(shown, request, engine, actor, finding=unaccounted_report.FINDING)


@router.get("/reports/holdings-over-time", response_class=HTMLResponse)
def of_holdings_over_time(request: Request, engine: Database, actor: Asker) -> Response:
    """Holdings at the end of each month, as a picture and a table."""
    picture = _drawn(OVER_TIME, request, engine, actor, N_("Holdings over time"), over_time)
    names = ("donor", "model", "site")
    return answer_list(carrying(OVER_TIME, request, *names), request, engine, actor, picture=picture)


@router.get("/reports/flows", response_class=HTMLResponse)
def of_flows(request: Request, engine: Database, actor: Asker) -> Response:
    """Flows between kinds of place, as a picture and a table."""
    picture = _drawn(FLOWS, request, engine, actor, N_("Flow of weapons"), flows_between_places)
    names = ("donor", "model", "site", "since", "until")
    return answer_list(carrying(FLOWS, request, *names), request, engine, actor, picture=picture)


@router.get("/reports/flows/movements", response_class=HTMLResponse)
def of_movements(request: Request, engine: Database, actor: Asker) -> Response:
    """The entries behind a flow."""
    return answer_list(MOVEMENTS, request, engine, actor)


@router.get("/reports/count-compliance", response_class=HTMLResponse)
def of_count_compliance(request: Request, engine: Database, actor: Asker) -> Response:
    """Which sites count in time, as a picture and a table."""
    picture = _drawn(COMPLIANCE, request, engine, actor, N_("Counts kept in time, by site"), compliance_by_site)
    return answer_list(COMPLIANCE, request, engine, actor, picture=picture)

"""SIGAR 14-84: two registers of the same weapons that nobody compared, SCIP of what was shipped to Afghanistan and OVERLORD of what was
received; what the units have beyond their authorised strength; and one depot's property book beside a count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from stockpile.registers.write import Value, write_csv, write_xlsx
from stockpile.replays.chance import hidden_places, shares, some_of
from stockpile.replays.country import register
from stockpile.replays.episode import Episode, Figure, Origin, Stage, rounded
from stockpile.replays.hidden import named
from stockpile.replays.sigar_excess import excess
from stockpile.replays.sigar_world import COMMONNESS, FOUNDING, RIFLE, UNITS, Conflict, Flaw, Records, Weapon, World
from stockpile.reports.audits import AuditShown

SCIP, OVERLORD, PROPERTY = "SCIP", "OVERLORD", "ANSF property books"
COLUMNS = ("Serial Number", "Nomenclature", "Date Shipped", "Date Received", "Unit Code")
A_DAY = timedelta(days=1)
OTHER_MODEL = {**dict.fromkeys(COMMONNESS, RIFLE), RIFLE: "M16A2"}
OTHER_UNIT = {code: UNITS[n - 1][0] for n, (code, _) in enumerate(UNITS)}
NOTHING: Mapping[int, Conflict] = {}

Row = tuple[Value, ...]


def play(stage: Stage) -> Iterator[Figure]:
    """The two registers, the excess, the depot."""
    world = World.made(stage)
    with stage.step("SCIP and OVERLORD written"):
        scip = _write(stage.lists / "SCIP.csv", world.on_ships(), world.shipped, world.conflicts)
        overlord = _write(stage.lists / "OVERLORD.csv", world.arrived(), world.received, NOTHING)
    with stage.step("SCIP imported"):
        shipped = stage.country.import_list(scip, "shipping register", SCIP)
    with stage.step("OVERLORD imported"):
        received = stage.country.import_list(overlord, "receiving register", OVERLORD)
    with stage.step("compared"):
        audit = stage.country.audit("SIGAR 14-84", register(shipped), register(received))
    with stage.step("findings read"):
        figures = [*_overlord(stage, world, audit), *_scip(stage, audit), *_between(stage, world, audit)]
    yield from figures
    yield from excess(stage, world)
    yield from _depot(stage)
    if stage.remove:
        yield from _count(stage, world, received)


def _write(file: Path, weapons: Iterator[Weapon], records: Records, conflicts: Mapping[int, Conflict]) -> Path:
    """A register: every weapon once, then the further mentions of those that repeat."""

    def rows() -> Iterator[Row]:
        repeated = {}
        for one in weapons:
            if one.place in records.twice or one.place in records.thrice:
                repeated[one.place] = one
            yield _row(_said(one, conflicts.get(one.place)), records.first.get(one.place))
        for number, place in enumerate(records.again()):
            yield _row(repeated[place], records.further.get(number))

    write_csv(file, COLUMNS, rows())
    return file


def _row(one: Weapon, flaw: Flaw | None) -> Row:
    dated = flaw is not Flaw.NO_DATE
    return (
        one.serial,
        one.model if flaw is not Flaw.NO_MODEL else None,
        one.shipped_on if dated else None,
        one.received_on if dated else None,
        one.unit if flaw is not Flaw.NO_RECEIVER else None,
    )


def _said(one: Weapon, conflict: Conflict | None) -> Weapon:
    """A weapon as a register has it that says one thing otherwise."""
    match conflict:
        case None:
            return one
        case Conflict.MODEL:
            return one._replace(model=OTHER_MODEL[one.model])
        case Conflict.SHIPPED:
            return one._replace(shipped_on=one.shipped_on + A_DAY)
        case Conflict.RECEIVED:
            return one._replace(received_on=one.received_on + A_DAY)
        case Conflict.UNIT:
            return one._replace(unit=OTHER_UNIT[one.unit])


def _overlord(stage: Stage, world: World, audit: AuditShown) -> Iterator[Figure]:
    """OVERLORD stands on the right. A record that is incomplete and one of a number that repeats counts once."""
    published, scale = stage.published["overlord"], stage.scale
    repeated = {
        (one.model, one.serial_number): one.times or 0 for one in stage.country.findings(audit, "repeated right")
    }
    lacks, flawed = Counter[str](), sum(repeated.values())
    for one in stage.country.findings(audit, "incomplete right"):
        lacks.update((one.why or "").split(", "))
        flawed += (one.model, one.serial_number) not in repeated
    records = audit.right_side["lines"]
    yield stage.figure("OVERLORD: serial numbers", records, published["serials"])
    yield stage.figure("OVERLORD: repeated two or three times", len(repeated), published["repeated_two_or_three_times"])
    yield stage.figure(
        "OVERLORD: no date of shipping or receipt", lacks[Flaw.NO_DATE], published["no_ship_or_receive_date"]
    )
    yield stage.figure("OVERLORD: incomplete, repeated or both", flawed, published["missing_or_duplicate"])
    share = rounded(scale.of(published["missing_or_duplicate"]), scale.of(published["serials"]))
    yield stage.figure("OVERLORD: percent", rounded(flawed, records), published["missing_or_duplicate_percent"], share)
    kinds = Counter(world.received.first.values())
    for flaw in (Flaw.NO_RECEIVER, Flaw.NO_MODEL):
        yield Figure(f"OVERLORD: {flaw}", lacks[flaw], kinds[flaw], Origin.INVENTED)


def _scip(stage: Stage, audit: AuditShown) -> Iterator[Figure]:
    published = stage.published["scip"]
    undated = sum(one.why == Flaw.NO_DATE for one in stage.country.findings(audit, "incomplete left"))
    yield stage.figure(
        "SCIP: repeated two or three times", audit.audit.repeated_left, published["repeated_two_or_three_times"]
    )
    yield stage.figure("SCIP: no date of shipping or receipt", undated, published["no_ship_or_receive_date"])


def _between(stage: Stage, world: World, audit: AuditShown) -> Iterator[Figure]:
    """What one register says otherwise than the other."""
    yield Figure("only in SCIP", audit.audit.only_left, world.only_shipped, Origin.INVENTED)
    yield Figure("only in OVERLORD", audit.audit.only_right, world.only_received, Origin.INVENTED)
    planted = Counter(world.conflicts.values())
    found = Counter(one.why for one in stage.country.findings(audit, "conflicting"))
    for conflict in Conflict:
        yield Figure(f"conflicting: {conflict}", found[conflict], planted[conflict], Origin.INVENTED)


def _depot(stage: Stage) -> Iterator[Figure]:
    """One depot's book and a count of it, both by quantity alone: a third of the difference is over, of the first model, the rest short."""
    published, chance = stage.published["depot_property_book"], stage.chance("depot")
    listed, differing = (stage.scale.of(published[of]) for of in ("listed", "did_not_match_count"))
    over = differing // 3
    book = sorted(shares(listed, len(COMMONNESS), chance))
    short = [0, *some_of(book[1:], differing - over, chance)]
    counted = [quantity - missing for quantity, missing in zip(book, short, strict=True)]
    counted[0] += over
    with stage.step("one depot's property book compared with a count"):
        held = stage.country.import_list(
            _write_depot(stage.lists / "Depot property book.xlsx", book), "property book", PROPERTY
        )
        count = stage.country.import_list(
            _write_depot(stage.lists / "Depot count.xlsx", counted), "count of the world", PROPERTY
        )
        audit = stage.country.audit("One depot", register(held), register(count))
    in_book = sum(total.left_quantity for total in audit.by_model if total.kind.startswith("quantity"))
    apart = sum(
        abs(total.left_quantity - total.right_quantity) for total in audit.by_model if total.kind == "quantity differs"
    )
    yield stage.figure("one depot: weapons in its property book", in_book, published["listed"])
    yield stage.figure("one depot: did not match the count", apart, published["did_not_match_count"])


def _write_depot(file: Path, quantities: list[int]) -> Path:
    write_xlsx(file, ("Nomenclature", "Quantity"), zip(COMMONNESS, quantities, strict=True))
    return file


def _count(stage: Stage, world: World, received: UUID) -> Iterator[Figure]:
    """A count of the world against OVERLORD, once weapons were hidden. It names them as OVERLORD does, some without a model."""
    places = hidden_places(world.weapons - world.only_shipped, stage.remove, stage.chance("hidden"))
    hidden: set[tuple[str, str]] = set()

    def rows() -> Iterator[Row]:
        for number, one in enumerate(world.arrived()):
            if number in places:
                without_model = world.received.first.get(one.place) is Flaw.NO_MODEL
                hidden.add(("" if without_model else one.model, one.serial))
            else:
                yield one.serial, one.model, one.unit

    with stage.step("count of the world against OVERLORD"):
        file = stage.lists / "Count.csv"
        write_csv(file, ("Serial Number", "Nomenclature", "Unit Code"), rows())
        count = stage.country.import_list(file, "count of the world", OVERLORD)
        counted = stage.country.audit("Count", register(count), register(received))
    yield from named(stage, counted, "against OVERLORD", frozenset(hidden))


EPISODE = Episode(
    "sigar-14-84",
    FOUNDING,
    (
        "which models and units there are, every serial number and every day, and how many records SCIP has",
        "how many of the repeated numbers stand three times, and how many undated records are of repeated numbers",
        "what the other flawed records of OVERLORD lack (the report tells that they are flawed, not how): their receiver, or their model",
        "which weapons only one register has, and which fields they say otherwise",
        "how many weapons the units hold and may hold; how the excess falls on units and on models other than the AK-47",
        "by which models the depot's count was short or over",
    ),
    play,
)

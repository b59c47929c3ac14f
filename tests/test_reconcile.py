"""Two lists compared: each kind of difference is planted so many times, and found exactly so many times; none is invented; and
swapping the sides swaps what is found.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpile import parties
from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.errors import Invalid, NotAllowed, NotFound
from stockpile.registers.near import Unmatched, near_matches
from tests.registers import compared, counts, found, imported, kept_file
from tests.world import HELMET, RIFLES, Country, photo, scanned_paper, scans

PLANTED = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
HEADINGS = "serial,model,unit,issued to,date shipped,date received,qty\n"
KINDS = (
    "matched", "only left", "only right", "repeated left", "repeated right", "other model", "other unit", "other holder", "other date",
    "no date left", "no date right", "no receiver left", "no model right", "misread", "look-alike",
)  # fmt: skip
MIRROR = {
    "only left": "only right", "only right": "only left", "repeated left": "repeated right", "repeated right": "repeated left",
    "incomplete left": "incomplete right", "incomplete right": "incomplete left",
}  # fmt: skip


@dataclass
class World:
    """Two lists as they are made, and what must be found."""

    left: list[str] = field(default_factory=list)
    right: list[str] = field(default_factory=list)
    expected: Counter[str] = field(default_factory=Counter)

    def plant(self, kind: str, number: int, times: int) -> None:
        """A weapon whose number is far from all others, with the difference planted."""
        serial = f"{chr(65 + number % 26)}{number:02}{number:02}{number:02}0"
        line = {
            "serial": serial,
            "model": "AKM",
            "unit": "1-COY",
            "holder": "A-1001",
            "shipped": "2004-06-01",
            "received": "2004-07-01",
        }
        left, right = dict(line), dict(line)
        match kind:
            case "only left":
                return self.say(left, None, "only left")
            case "only right":
                return self.say(None, right, "only right")
            case "repeated left":
                self.left += [row(left)] * (times - 1)
                return self.say(left, right, "matched", "repeated left")
            case "repeated right":
                self.right += [row(right)] * (times - 1)
                return self.say(left, right, "matched", "repeated right")
            case "misread":
                right["serial"] = f"{serial[:-1]}X"
                return self.say(left, right, "only left", "only right", "near match")
            case "look-alike":
                right["serial"] = f"{serial[:-1]}O"
                return self.say(left, right, "only left", "only right", "near match")
            case "other model" | "other unit" | "other holder" | "other date":
                what, value = {
                    "other model": ("model", "M4"), "other unit": ("unit", "2-COY"), "other holder": ("holder", "A-1002"),
                    "other date": ("received", "2004-07-02"),
                }[kind]  # fmt: skip
                right[what] = value
                return self.say(left, right, "conflicting")
            case "no date left":
                left["shipped"] = left["received"] = ""
                return self.say(left, right, "matched", "incomplete left")
            case "no date right":
                right["shipped"] = right["received"] = ""
                return self.say(left, right, "matched", "incomplete right")
            case "no receiver left":
                left["unit"] = left["holder"] = ""
                return self.say(left, right, "matched", "incomplete left")
            case "no model right":
                right["model"] = ""
                return self.say(left, right, "matched", "incomplete right")
        return self.say(left, right, "matched")

    def say(self, left: dict[str, str] | None, right: dict[str, str] | None, *kinds: str) -> None:
        self.left += [row(left)] if left else []
        self.right += [row(right)] if right else []
        self.expected.update(kinds)


def row(line: dict[str, str], quantity: int = 1) -> str:
    return f"{line['serial']},{line['model']},{line['unit']},{line['holder']},{line['shipped']},{line['received']},{quantity}\n"


def test_each_difference_is_found_as_often_as_it_was_planted(country: Country) -> None:
    @PLANTED
    @given(
        kinds=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(2, 4)), min_size=1, max_size=40),
        order=st.randoms(use_true_random=False),
    )
    def planted(kinds: list[tuple[str, int]], order: Any) -> None:
        world = World()
        for number, (kind, times) in enumerate(kinds):
            world.plant(kind, number, times)
        # A line of each, so that neither list is empty and both say every field.
        world.plant("matched", 90, 1)
        order.shuffle(world.left)
        order.shuffle(world.right)
        left = imported(country, HEADINGS + "".join(world.left))
        right = imported(country, HEADINGS + "".join(world.right), source="OTHER BOOKS")
        there, back = compared(country, left, right), compared(country, right, left)
        assert counts(there) == dict(world.expected)
        assert counts(back) == {MIRROR.get(kind, kind): times for kind, times in world.expected.items()}
        repeated = {one.serial_number: one.times for one in found(country, there, "repeated left")}
        assert all(times == sum(line.startswith(f"{key},") for line in world.left) for key, times in repeated.items())

    planted()


quantities = st.lists(
    st.tuples(
        st.sampled_from(["AKM", "Helmet", "M4"]), st.sampled_from(["1-COY", "2-COY", "3-COY"]), st.integers(1, 50)
    ),
    max_size=12,
)


def test_what_has_no_number_is_counted_by_model_and_holder(country: Country) -> None:
    """However a list cuts a quantity into lines, the sums are compared."""

    @PLANTED
    @given(mine=quantities, theirs=quantities)
    def summed(mine: list[tuple[str, str, int]], theirs: list[tuple[str, str, int]]) -> None:
        sums: list[Counter[tuple[str, str]]] = [Counter(), Counter()]
        texts = []
        for lines, total in zip((mine, theirs), sums, strict=True):
            text = "model,unit,qty\nPKM,1-COY,3\n"
            for model, unit, quantity in lines:
                total[model, unit] += quantity
                text += f"{model},{unit},{quantity}\n"
            texts.append(text)
        left, right = imported(country, texts[0]), imported(country, texts[1], source="OTHER BOOKS")
        audit = compared(country, left, right)
        differing = {
            (one.model, one.held_by): (one.left_quantity, one.right_quantity)
            for one in found(country, audit, "quantity differs")
        }
        keys = {*sums[0], *sums[1]}
        assert differing == {key: (sums[0][key], sums[1][key]) for key in keys if sums[0][key] != sums[1][key]}
        assert counts(audit).get("quantity matched") == 1 + sum(sums[0][key] == sums[1][key] for key in keys)

    summed()


def test_a_list_without_numbers_is_held_against_one_with_numbers(country: Country) -> None:
    """The commander says 5 were issued; the book names 3, by number: 2 are unaccounted, and the 3 are told as unnamed by the other."""
    issued = imported(country, "model,qty\nAKM,5\nHelmet,10\n")
    book = imported(country, "serial,model\nKT 1,AKM\nKT 2,AKM\nKT 3,AKM\n")
    audit = compared(country, issued, book)
    differing = found(country, audit, "quantity differs")
    assert [(one.model, one.left_quantity, one.right_quantity) for one in differing] == [
        ("AKM", 5, 3),
        ("Helmet", 10, 0),
    ]
    assert counts(audit)["only right"] == 3
    assert audit.left["says"] == ["model"]
    assert "incomplete left" not in counts(audit)  # a list that never says numbers is told of once, not line by line


def test_every_finding_names_the_rows_of_both_lists(country: Country) -> None:
    left = imported(country, "serial,model,unit\nKT 1,AKM,A\nKT 2,AKM,A\nKT 2,AKM,A\n")
    right = imported(country, "Model,Serial,Unit\nAKM,KT-2,B\nAKM,KT 1,a\n")
    audit = compared(country, left, right)
    (matched,) = found(country, audit, "matched")
    assert (matched.model, matched.serial_number, matched.left_line, matched.right_line) == ("AKM", "KT 1", 2, 3)
    (conflicting,) = found(country, audit, "conflicting")
    assert (conflicting.serial_number, conflicting.left_line, conflicting.right_line) == ("KT 2", 3, 2)
    assert (conflicting.why, conflicting.left_says, conflicting.right_says) == ("unit", "unit A", "unit B")
    (repeated,) = found(country, audit, "repeated left")
    assert (repeated.left_line, repeated.times) == (3, 2)


def test_every_line_the_same_number(country: Country) -> None:
    """Ten thousand mentions on either side are one weapon, and not a hundred million pairs."""
    text = "serial,model\n" + "KT 1,AKM\n" * 10_000
    audit = compared(country, imported(country, text), imported(country, text, source="OTHER BOOKS"))
    assert counts(audit) == {"matched": 1, "repeated left": 1, "repeated right": 1}
    assert found(country, audit, "repeated left")[0].times == 10_000


def test_a_register_against_the_ledger_as_it_was(country: Country) -> None:
    """The book of yesterday agrees with the ledger of yesterday; since then one rifle went out, and one came."""
    book = "serial,model,issued to\n" + "".join(f"{serial},AKM,Main store\n" for serial in RIFLES)
    yesterday = now()
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "NEW 1"}])
    kept = imported(country, book)
    then = compared(country, kept, {"site": "TAJI", "happened_by": yesterday.isoformat()})
    assert counts(then) == {"matched": 10, "quantity differs": 1}  # the helmets, which no book of rifles has
    today = compared(country, kept, {"site": "TAJI"})
    assert counts(today) == {"matched": 9, "conflicting": 1, "only right": 1, "quantity differs": 1}
    (rifle,) = found(country, today, "conflicting")
    assert (rifle.serial_number, rifle.why, rifle.right_item) == (RIFLES[0], "holder", country.item(RIFLES[0]).item_id)
    assert (rifle.held_by, rifle.left_says) == ("A-1001", "holder MAIN STORE")
    assert [(one.serial_number, one.held_by) for one in found(country, today, "only right")] == [
        ("NEW 1", "MAIN STORE")
    ]
    matched = found(country, today, "matched")
    assert {(one.serial_number, one.model, one.right_item) for one in matched} == {
        (serial, "AKM", country.item(serial).item_id) for serial in RIFLES[1:]
    }
    known_then = compared(country, kept, {"site": "TAJI", "recorded_by": yesterday.isoformat()})
    assert counts(known_then) == counts(then)


def test_parts_of_the_ledger(country: Country) -> None:
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:3]))
    with_company = imported(country, "serial,model\n" + "".join(f"{serial},AKM\n" for serial in RIFLES[:3]))
    assert counts(compared(country, with_company, {"unit": "1COY"})) == {"matched": 3}
    store = country.item(RIFLES[5]).where.account_id
    assert counts(compared(country, with_company, {"account": str(store)}))["only left"] == 3
    assert counts(compared(country, {"site": "TAJI"}, {"site": "TAJI"}))["matched"] == 10
    assert counts(compared(country, {}, {"site": "ERBIL"}))["only left"] == 10
    for part, code in (("site", "NOWHERE"), ("unit", "NO-SUCH"), ("donor", "NOBODY")):
        with pytest.raises(NotFound):
            compared(country, with_company, {part: code})


def test_twins_of_the_ledger_are_two_weapons(country: Country) -> None:
    """Two rifles of one number stand in the store; a list that names the number twice means both, one that names it once leaves one."""
    twin = {"model": "AKM", "serial_number": RIFLES[0]}
    country.do("clerk", RECEIVE, store="Main store", lines=[twin])
    once = "serial,model\n" + "".join(f"{serial},AKM\n" for serial in RIFLES)
    assert counts(compared(country, imported(country, once), {"site": "TAJI"})) == {
        "matched": 10, "only right": 1, "quantity differs": 1,
    }  # fmt: skip
    twice = imported(country, f"{once}{RIFLES[0]},AKM\n")
    assert counts(compared(country, twice, {"site": "TAJI"})) == {
        "matched": 11,
        "repeated left": 1,
        "quantity differs": 1,
    }


def test_an_audit_is_made_again_under_its_name(country: Country) -> None:
    kept = imported(country, "serial,model\n" + "".join(f"{serial},AKM\n" for serial in RIFLES))
    first = compared(country, kept, {"site": "TAJI"}, name="TAJI, monthly")
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "NEW 1"}])
    again = compared(country, None, None, name="TAJI, monthly")
    assert (first.run, again.run) == (1, 2)
    assert counts(again) == {**counts(first), "only right": 1}
    with pytest.raises(Invalid) as refused:
        compared(country, None, None, name="Never made")
    assert "say what to compare" in refused.value.faults[0].message


def test_a_clerk_compares_what_the_clerk_may_read(country: Country) -> None:
    country.do("erbil clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "E 1"}])
    mine = imported(country, "serial,model\nE 1,AKM\n", who="clerk")
    with pytest.raises(NotAllowed):
        compared(country, mine, {"site": "ERBIL"}, who="clerk")
    audit = compared(country, mine, {}, who="clerk")
    assert (counts(audit)["only left"], counts(audit)["only right"]) == (1, 10)
    theirs = imported(country, "serial,model\nE 2,AKM\n", who="erbil clerk")
    with pytest.raises(NotFound):
        compared(country, mine, theirs, who="clerk")
    with pytest.raises(NotAllowed):
        compared(country, mine, {}, who="USA")


@pytest.mark.parametrize(
    "side",
    [
        {"register": "x", "site": "TAJI"},
        {"site": "TAJI", "unit": "1-COY"},
        {"consignment": "FMS-1"},
        {"register": "x", "donor": "USA"},
    ],
)
def test_a_side_that_is_two_things_is_refused(country: Country, side: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"by itself|one of|known by its donor"):
        compared(country, side, {})


def test_a_moment_in_the_future_is_refused(country: Country) -> None:
    with pytest.raises(Invalid) as refused:
        compared(country, {"happened_by": (now() + timedelta(days=1)).isoformat()}, {})
    assert refused.value.faults[0].message == "is in the future"


def near(*pairs: tuple[str, str]) -> list[tuple[str, str, int]]:
    model = UUID(int=1)
    lefts = [Unmatched(n, model, left) for n, (left, _) in enumerate(pairs)]
    rights = [Unmatched(n, model, right) for n, (_, right) in enumerate(pairs)]
    return [(pairs[one.left][0], pairs[one.right][1], one.rank) for one in near_matches(lefts, rights)]


def test_near_is_a_look_alike_or_one_character() -> None:
    assert near(("KT44O1", "KT4401")) == [("KT44O1", "KT4401", 1)]
    assert near(("KT4491", "KT4492")) == [("KT4491", "KT4492", 2)]
    assert near(("KT4491", "KT449")) == [("KT4491", "KT449", 2)]
    assert near(("KT4491", "KT4419")) == []  # two characters
    assert near(("KT1", "KT2")) == []  # too short to say


@given(st.text("AB01", min_size=4, max_size=8), st.text("AB01", min_size=4, max_size=8))
def test_near_is_found_from_either_side(one: str, other: str) -> None:
    assert bool(near((one, other))) == bool(near((other, one)))


def test_numbers_that_run_in_a_row_are_not_near_one_another() -> None:
    """Crates with consecutive numbers: each is one character from many of the others, which says nothing."""
    lefts = [Unmatched(n, UUID(int=1), f"KT{n:05}") for n in range(10)]
    rights = [Unmatched(n, UUID(int=1), f"KT{n:05}") for n in range(10, 100)]
    assert list(near_matches(lefts, rights)) == []
    assert list(near_matches(rights, lefts)) == []


@given(
    st.lists(st.text("AB01", min_size=4, max_size=6), unique=True, max_size=8),
    st.lists(st.text("AB01", min_size=4, max_size=6), unique=True, max_size=8),
)
def test_swapping_the_lists_swaps_the_near_pairs(mine: list[str], theirs: list[str]) -> None:
    lefts = [Unmatched(n, UUID(int=1), key) for n, key in enumerate(mine)]
    rights = [Unmatched(n, UUID(int=1), key) for n, key in enumerate(theirs)]
    there = {(one.left, one.right, one.rank) for one in near_matches(lefts, rights)}
    back = {(one.right, one.left, one.rank) for one in near_matches(rights, lefts)}
    assert there == back


def test_a_large_table_is_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(f"{n * 7919:06}A", f"{n * 7919:06}C") for n in range(50)]
    whole = near(*pairs)
    assert len(whole) == 50
    monkeypatch.setattr("stockpile.registers.near.FORMS_AT_ONCE", 60)
    assert sorted(near(*pairs)) == sorted(whole)


def test_a_shipping_list_against_what_became_of_its_consignment(country: Country) -> None:
    """The list that the donor declared is a register as any other; of two rifles and ten helmets one rifle and seven helmets came."""
    listed = kept_file("serial,model,qty\nM 1,M4,1\nM 2,M4,1\n,Helmet,10\n")
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-9", file=listed)
    came = [{"model": "M4", "serial_number": "M 1"}, {"model": HELMET, "quantity": 7}]
    country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-9", lines=came)
    consignment = {"donor": "USA", "consignment": "FMS-9"}
    wherever = compared(country, {"register": "FMS-9"}, consignment)
    assert {kind: number for kind, number in counts(wherever).items() if kind != "conflicting"} == {
        "matched": 2, "quantity matched": 1,
    }  # fmt: skip
    arrived = compared(country, {"register": "FMS-9"}, {**consignment, "classes": ["store"]})
    assert [one.serial_number for one in found(country, arrived, "only left")] == ["M 2"]
    (helmets,) = found(country, arrived, "quantity differs")
    assert (helmets.left_quantity, helmets.right_quantity) == (10, 7)
    with pytest.raises(NotFound, match="declared no consignment"):
        compared(country, {"register": "FMS-9"}, {"donor": "USA", "consignment": "FMS-X"})


def test_names_in_any_script_are_one_name(country: Country) -> None:
    """A soldier and a list, both in Cyrillic; a unit by its name; blanks and capitals as they come."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.rename(connection, country.parties["A-1001"].party_id, "Петров  Иван", None)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    listed = imported(country, f"serial,model,issued to,unit\n{RIFLES[0]},AKM,петров иван,1st  company\n")
    assert counts(compared(country, listed, {"unit": "1COY"})) == {"matched": 1}


def test_quantities_are_held_by_whom_both_sides_say(country: Country) -> None:
    """A list names persons, another units, by code or by name; the ledger knows both."""
    given_out = [{"model": HELMET, "quantity": 3}]
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=given_out)
    for text in (
        "model,issued to,qty\nHelmet,a-1001,3\n",
        "model,unit,qty\nHelmet,1st Company,3\n",
        "model,unit,qty\nHelmet,1COY,3\n",
    ):
        assert counts(compared(country, imported(country, text), {"unit": "1COY"})) == {"quantity matched": 1}, text
    both = imported(country, "model,unit,issued to,qty\nHelmet,1COY,A-1001,3\n")
    holders = imported(country, "model,issued to,qty\nHelmet,A-1001,3\n", source="OTHER BOOKS")
    assert counts(compared(country, both, holders)) == {"quantity matched": 1}


def test_a_moment_knows_the_numbers_of_its_day(country: Country) -> None:
    """A number amended since is not what the weapon bore then."""
    book = imported(country, "serial,model\n" + "".join(f"{serial},AKM\n" for serial in RIFLES))
    then = now().isoformat()
    line = {"scan": RIFLES[0], "serial_number": "KT 777777"}
    country.do_with_approval(
        "clerk", "commander", AMEND_IDENTIFICATION, reason="misread", attachments=[scanned_paper(photo())], lines=[line]
    )
    for moment in ({"recorded_by": then}, {"happened_by": then}, {"recorded_by": then, "happened_by": then}):
        assert counts(compared(country, book, {"site": "TAJI", **moment}))["matched"] == 10, moment
    assert counts(compared(country, book, {"site": "TAJI"}))["matched"] == 9


def test_a_line_without_model_counts_as_the_model_it_met(country: Country) -> None:
    bare = imported(country, "serial,model\nKT 1,\nKT 2,AKM\n")
    whole = imported(country, "serial,model\nKT 1,AKM\nKT 2,AKM\n", source="OTHER BOOKS")
    for sides in ((bare, whole), (whole, bare)):
        audit = compared(country, *sides)
        assert [(one.kind, one.model, one.findings) for one in audit.by_model if one.kind == "matched"] == [
            ("matched", "AKM", 2)
        ]


def test_look_alikes_by_the_thousand_are_no_trouble() -> None:
    """Numbers of nothing but O and 0 are all one number when look-alikes are merged."""
    keys = ["".join("0O"[n >> bit & 1] for bit in range(12)) for n in range(4096)]
    lefts = [Unmatched(n, UUID(int=1), f"A{key}") for n, key in enumerate(keys)]
    rights = [Unmatched(n, UUID(int=1), f"B{key}") for n, key in enumerate(keys)]
    assert list(near_matches(lefts, rights)) == []

"""Destroying: ordered by two people, done before two witnesses, counted before and after, and certified by two people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stockpile import documents
from stockpile.acts import destruction_order
from stockpile.acts.correct import CORRECT
from stockpile.acts.destroy import DESTROY
from stockpile.acts.destruction_order import ORDER_DESTRUCTION
from stockpile.acts.issue import ISSUE
from stockpile.acts.perform import Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Posted, Precision
from stockpile.errors import Invalid, NotAllowed, NotFound, Refused
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.destruction_orders import DestructionOrderRow, OrderState, list_destruction_orders
from stockpile.rights import reading
from tests.test_export import consent, delivered, donated
from tests.world import HELMET, RIFLES, Country, ago, kinds, paper, photo, scanned_paper, scans, today, told

STORE = "Main store"
ORDER: dict[str, Any] = {
    "reason": "worn out", "authority": "Minister's order 118", "due_on": "2099-12-31", "method": "cutting",
}  # fmt: skip
WATCHED = {"witness_1": "A-1001", "witness_2": "Jane Miller, UNMAS"}


def cut_in_three() -> str:
    return scanned_paper(photo())


def ordered(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do_with_approval("clerk", "commander", ORDER_DESTRUCTION, **{**ORDER, **request}, lines=list(lines))


def certificate(order: Posted, *lines: dict[str, Any], **request: Any) -> dict[str, Any]:
    count = sum(line.get("quantity", 1) for line in lines)
    return {
        "order": order.number, "method": "cutting", "place": "the yard", "counted_before": count, "counted_after": 0,
        "attachments": [cut_in_three()], **WATCHED, **request, "lines": list(lines),
    }  # fmt: skip


def certified(country: Country, order: Posted, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do_with_approval("clerk", "commander", DESTROY, **certificate(order, *lines, **request))


def orders(country: Country, who: str = "clerk", **asked: Any) -> list[DestructionOrderRow]:
    with reading(country.engine, country.actors[who]) as connection:
        return list(list_destruction_orders(connection, country.actors[who], **asked).rows)


def test_a_rifle_is_ordered_to_be_destroyed_and_is(country: Country) -> None:
    """The order moves nothing; the certificate takes the rifle out for good, and both witnesses stand on it."""
    order = ordered(country, *scans(RIFLES[0], RIFLES[1]))
    assert (order.act, country.where(RIFLES[0])) == ("order destruction", STORE)
    posted = certified(country, order, *scans(RIFLES[0]), counted_before=2, counted_after=1)
    assert (posted.act, posted.discrepancy_count) == ("destroy", 0)
    assert (country.where(RIFLES[0]), country.where(RIFLES[1])) == ("destroyed", STORE)
    signed = country.query(
        "SELECT part, p.code FROM signatory LEFT JOIN party p USING (party_id) WHERE document_id = %s ORDER BY part",
        posted.document_id,
    )
    assert signed == [("approved_by", "C-1"), ("posted_by", "T-1"), ("witness_1", "A-1001")]
    ((details, attachments),) = country.query(
        "SELECT details, attachments FROM document WHERE document_id = %s", posted.document_id
    )
    assert (details["order"], details["witness_2"]) == (str(order.document_id), WATCHED["witness_2"])
    assert attachments == [cut_in_three()]
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    assert told(refusal)[0][1] == "it was destroyed: the act 'issue' does not begin there"


def test_the_order_waits_for_its_second_party(country: Country) -> None:
    """A draft is no order: nothing is destroyed under it."""
    draft = country.ask("clerk", ORDER_DESTRUCTION, **ORDER, lines=scans(RIFLES[0]))
    assert isinstance(draft, Drafted)
    with pytest.raises(NotAllowed):
        country.approve("clerk", draft)
    asked = {**certificate(ordered(country, *scans(RIFLES[1])), *scans(RIFLES[0])), "order": str(draft.document_id)}
    assert country.invalid("clerk", DESTROY, **asked) == [
        ("order", None, f"{draft.document_id} is none of TAJI: it takes a destruction order that was approved and posted"),
    ]  # fmt: skip


def test_what_can_not_be_ordered_is_refused_weapon_by_weapon(country: Country) -> None:
    """With a soldier, at another site, in another store than the order says, on an order already, unknown."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    first = ordered(country, *scans(RIFLES[1]))
    refusal = country.refused(
        "clerk", ORDER_DESTRUCTION, **ORDER, lines=scans(RIFLES[0], "E 1", RIFLES[1], "NO SUCH", RIFLES[2])
    )
    assert [reason for _, reason, _ in told(refusal)] == [
        "it is not in a store", "it is not at TAJI", f"it is on the destruction order {first.number} already",
        "unknown: nothing in the books bears this number",
    ]  # fmt: skip
    refusal = country.refused("clerk", ORDER_DESTRUCTION, **ORDER, store="Quarantine", lines=scans(RIFLES[2]))
    assert told(refusal)[0][1] == "it is not in Quarantine"
    yesterday = str(today() - timedelta(days=1))
    assert country.invalid("clerk", ORDER_DESTRUCTION, **{**ORDER, "due_on": yesterday}, lines=scans(RIFLES[2])) == [
        ("due_on", yesterday, "is in the past")
    ]


def test_what_a_certificate_binds_is_ordered_destroyed_with_its_donor_s_consent(country: Country) -> None:
    """A rifle and helmets of the USA: without its consent each names the certificate; with it, its scan is part of the order."""
    delivered(country)
    lines = [*scans("US 1", RIFLES[0]), donated(country, 5)]
    refusal = country.refused("clerk", ORDER_DESTRUCTION, **ORDER, store=STORE, consents=[consent("FRA")], lines=lines)
    why = "end-user certificate EUC-2026-8 binds it: add the consent of USA"
    assert [(reason.line, reason.reason) for reason in refusal.reasons] == [(1, why), (3, why)]
    text = scanned_paper(b"We consent to everything.")
    asked = {**ORDER, "store": STORE, "lines": lines}
    faults = country.invalid("clerk", ORDER_DESTRUCTION, **asked, consents=[consent(scan_sha256=text)])
    assert faults[0][:2] == ("scan_sha256", text)
    order = ordered(country, *lines, store=STORE, consents=[consent()])
    kept = "SELECT details->'consents', attachments FROM document WHERE document_id = %s"
    assert country.query(kept, order.document_id) == [([consent()], [scanned_paper()])]
    certified(country, order, *scans("US 1"))
    assert country.where("US 1") == "destroyed"


def test_only_what_its_order_names_is_destroyed(country: Country) -> None:
    """Not on it; on another; issued since; the order taken back."""
    order, other = ordered(country, *scans(*RIFLES[:2])), ordered(country, *scans(RIFLES[2]))
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[1]))
    refusal = country.refused("clerk", DESTROY, **certificate(order, *scans(*RIFLES[:4])))
    assert told(refusal) == [
        (RIFLES[1], "it is not in a store", "Private Petrov (A-1001) (person)"),
        (RIFLES[2], f"it is not on the destruction order {order.number}", f"{STORE} (store)"),
        (RIFLES[3], f"it is not on the destruction order {order.number}", f"{STORE} (store)"),
    ]
    country.do_with_approval("clerk", "commander", CORRECT, document=other.document_id, reason="still needed")
    refusal = country.refused("clerk", DESTROY, **certificate(other, *scans(RIFLES[2])))
    assert told(refusal)[0][1] == f"it is not on the destruction order {other.number}"
    country.do("clerk", RETURN, store="Quarantine", lines=scans(RIFLES[1]))
    certified(country, order, *scans(*RIFLES[:2]))
    assert country.where(RIFLES[1]) == "destroyed"


def test_an_order_is_carried_out_once(country: Country) -> None:
    """A rifle that was certified as destroyed and turned up is not destroyed again under the old order."""
    order = ordered(country, *scans(RIFLES[0]))
    certified(country, order, *scans(RIFLES[0]))
    found = {"store": STORE, "place": "the market", "found_by": "police", "in_hand": True}
    back = country.do("clerk", RECOVER, **found, lines=scans(RIFLES[0]))
    assert kinds(back) == ["found what the books hold as gone"]
    refusal = country.refused("clerk", DESTROY, **certificate(order, *scans(RIFLES[0])))
    assert told(refusal)[0][1] == f"it is not on the destruction order {order.number}"
    certified(country, ordered(country, *scans(RIFLES[0])), *scans(RIFLES[0]))


def test_an_order_that_a_late_paper_moved_in_time_still_stands(country: Country) -> None:
    """A return on paper, from before the order: the order's entry is posted again under it, and counts all the same."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]), paper=paper(1, ago(hours=3)))
    country.do("clerk", RETURN, store=STORE, lines=scans(RIFLES[0]), paper=paper(2, ago(hours=1)))
    order = ordered(country, *scans(RIFLES[0]))
    late = {"receiver": "A-1002", "store": STORE, "lines": scans(RIFLES[0])}
    country.do("clerk", ISSUE, **late, paper=paper(3, ago(minutes=30)))
    country.do("clerk", RETURN, store=STORE, lines=scans(RIFLES[0]), paper=paper(4, ago(minutes=20)))
    assert [(row.quantity, row.left) for row in orders(country)] == [(1, 1)]
    certified(country, order, *scans(RIFLES[0]))
    assert [(row.certified, row.state) for row in orders(country)] == [(1, "certified")]


def test_a_certificate_has_two_other_witnesses_two_counts_and_a_photo(country: Country) -> None:
    """Nobody, the clerk, the same person twice, a number nobody has; counts that do not fit; no photo, or one never stored."""
    order = ordered(country, *scans(RIFLES[0]))
    asked = certificate(order, *scans(RIFLES[0]))
    takes = ": it takes two witnesses, neither who posted nor who approved it"

    def faults(**changed: Any) -> list[tuple[Any, str]]:
        return [(field, message) for field, _, message in country.invalid("clerk", DESTROY, **{**asked, **changed})]

    assert faults(witness_1=None) == [("witness_1", f"witness_1: nobody is named{takes}")]
    assert faults(witness_1="T-1") == [("witness_1", f"witness_1: who posts the certificate{takes}")]
    assert faults(witness_2="A-1001") == [("witness_2", f"witness_2: the first witness again{takes}")]
    assert faults(witness_1="jane miller, UNMAS")[0][1] == f"witness_2: the first witness again{takes}"
    assert "nobody at TAJI has the number A-9999" in faults(witness_1="A-9999")[0][1]
    counts = "1 before, 1 afterwards: it takes two counts that differ by the 1 destroyed"
    assert faults(counted_after=1) == [("counted_after", counts)]
    assert faults(counted_before=None)[0][1].startswith("none before, 0 afterwards")
    assert faults(attachments=[]) == [("attachments", "none is attached: it takes a photo of what was destroyed")]
    assert faults(attachments=["9f" * 32])[0][0] == "attachments"
    assert faults(order=None, witness_2=None)[0][1].startswith("no order is named")
    assert country.where(RIFLES[0]) == STORE


def test_a_witness_in_words_is_somebody_else(country: Country) -> None:
    """An observer under two spellings; the clerk by number, by name, the other way round; the first witness by name; and two
    observers of whom the books know neither.
    """
    order = ordered(country, *scans(RIFLES[0]))
    asked = certificate(order, *scans(RIFLES[0]))
    takes = ": it takes two witnesses, neither who posted nor who approved it"

    def faults(first: str, second: str) -> list[tuple[Any, str]]:
        given = country.invalid("clerk", DESTROY, **{**asked, "witness_1": first, "witness_2": second})
        return [(field, message) for field, _, message in given]

    jane = "Jane Miller, UNMAS"
    for again in ("Jane  Miller, UNMAS", "JANE MILLER,UNMAS", "jane miller , unmas"):
        assert faults(jane, again) == [("witness_2", f"witness_2: the first witness again{takes}")]
    for clerk in ("t-1, Taji depot", "Talib Clerk, Taji depot", "Sergeant  CLERK, Talib, Taji"):
        assert faults("A-1001", clerk) == [("witness_2", f"witness_2: who posts the certificate is named in it{takes}")]
        assert faults(clerk, jane) == [("witness_1", f"witness_1: who posts the certificate is named in it{takes}")]
    assert faults("A-1001", "Petrov, 1st Company") == [
        ("witness_2", f"witness_2: the other witness is named in it{takes}")
    ]
    assert faults(jane, "Bob Ross, ITF") == [
        ("witness_1", "neither witness is a person of TAJI: it takes two witnesses, one of them by service number")
    ]
    draft = country.ask("clerk", DESTROY, **{**asked, "witness_2": "Carim Commander, Taji depot"})
    with pytest.raises(Invalid, match="not posted") as problem:
        country.approve("commander", draft)
    (fault,) = problem.value.faults
    assert fault.message == f"witness_2: who approves the certificate is named in it{takes}"
    on_paper = {**asked, "witness_1": "T-1, Taji", "witness_2": jane, "paper": paper(1, ago())}
    assert kinds(country.do("clerk", DESTROY, **on_paper)) == ["second party missing", "witness missing"]


def test_who_approves_is_no_witness(country: Country) -> None:
    """The commander stands on the draft as a witness: another must approve, and the registrar may."""
    order = ordered(country, *scans(RIFLES[0]))
    draft = country.ask("clerk", DESTROY, **certificate(order, *scans(RIFLES[0]), witness_1="C-1"))
    with pytest.raises(Invalid) as problem:
        country.approve("commander", draft)
    assert [fault.field for fault in problem.value.faults] == ["witness_1"]
    assert country.where(RIFLES[0]) == STORE
    country.approve("registrar", draft, site="TAJI")
    assert country.where(RIFLES[0]) == "destroyed"


def test_an_order_taken_back_while_its_certificate_waits_can_not_be_carried_out(country: Country) -> None:
    """The approval checks anew: what was right then is wrong now."""
    order = ordered(country, *scans(RIFLES[0]))
    draft = country.ask("clerk", DESTROY, **certificate(order, *scans(RIFLES[0])))
    country.do_with_approval("clerk", "commander", CORRECT, document=order.document_id, reason="still needed")
    with pytest.raises(Refused):
        country.approve("commander", draft)
    assert country.where(RIFLES[0]) == STORE


def test_helmets_are_destroyed_by_number(country: Country) -> None:
    """Thirty ordered, twenty destroyed, ten left on the order; eleven are refused, and so are more than there are."""
    helmets = str(country.helmets().item_id)
    with pytest.raises(Refused):
        ordered(country, {"item": helmets, "quantity": 101}, store=STORE)
    order = ordered(country, {"item": helmets, "quantity": 30}, *scans(RIFLES[0]), store=STORE)
    certified(country, order, {"item": helmets, "quantity": 20}, store=STORE, counted_before=30, counted_after=10)
    assert [(row.quantity, row.certified, row.left) for row in orders(country)] == [(31, 20, 11)]
    refusal = country.refused("clerk", DESTROY, **certificate(order, {"item": helmets, "quantity": 11}, store=STORE))
    assert told(refusal)[0][1] == f"10 are left on the destruction order {order.number}"
    certified(country, order, {"item": helmets, "quantity": 10}, *scans(RIFLES[0]), store=STORE)
    held = "SELECT a.name, h.quantity FROM holding h JOIN account a USING (account_id) WHERE h.item_id = %s ORDER BY 1"
    assert country.query(held, helmets) == [(STORE, 70), ("destroyed", 30)]
    assert [row.state for row in orders(country)] == ["certified"]


def test_helmets_named_by_their_model_are_destroyed_under_their_order(country: Country) -> None:
    """Ten ordered by model, four destroyed by model and one by key; two lines together take no more than is left. On paper the
    last five contradict nothing, and one more does.
    """
    key = str(country.helmets().item_id)
    order = ordered(country, {"model": HELMET, "quantity": 10}, store=STORE)
    certified(country, order, {"model": HELMET, "quantity": 4}, {"item": key, "quantity": 1}, store=STORE)
    assert [(row.certified, row.left) for row in orders(country)] == [(5, 5)]
    for first in ({"model": HELMET, "quantity": 3}, {"item": key, "quantity": 3}):
        both = certificate(order, first, {"model": HELMET, "quantity": 3}, store=STORE)
        assert told(country.refused("clerk", DESTROY, **both))[0][:2] == (
            HELMET,
            f"2 are left on the destruction order {order.number}",
        )
    on_paper = certificate(order, {"model": HELMET, "quantity": 5}, store=STORE, paper=paper(1, ago()))
    assert kinds(country.do("clerk", DESTROY, **on_paper)) == ["second party missing"]
    one_more = certificate(order, {"model": HELMET, "quantity": 1}, store=STORE, paper=paper(2, ago()))
    assert kinds(country.do("clerk", DESTROY, **one_more)) == ["destroyed without an order", "second party missing"]


def test_what_a_late_return_posts_again_is_certified_once(country: Country) -> None:
    """Sixty helmets burnt by paper while the books have fifty in the store; then the return of the others is keyed from before
    that. The order is carried out, for the list and for the next certificate: nothing is left on it.
    """
    helmets = {"item": str(country.helmets().item_id)}
    order = ordered(country, {**helmets, "quantity": 60}, store=STORE)
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=[{**helmets, "quantity": 50}])
    returned_at = documents.now()
    burnt = certificate(order, {**helmets, "quantity": 60}, store=STORE)
    posted = country.do("clerk", DESTROY, **burnt, paper=paper(1, documents.now(), precision=Precision.SECOND))
    assert "fewer in the books" in kinds(posted)
    back = {"returned_by": "A-1001", "store": STORE, "lines": [{**helmets, "quantity": 50}]}
    country.do("clerk", RETURN, **back, paper=paper(2, returned_at, precision=Precision.SECOND))
    assert [(row.certified, row.left, row.state) for row in orders(country)] == [(60, 0, "certified")]
    refusal = country.refused("clerk", DESTROY, **certificate(order, {**helmets, "quantity": 10}, store=STORE))
    assert told(refusal)[0][1] == f"0 are left on the destruction order {order.number}"


def test_a_certificate_on_paper_is_a_fact(country: Country) -> None:
    """No order, one witness, counts that do not fit, a rifle that a soldier had: all posted, each a discrepancy."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[1]))
    posted = country.do(
        "clerk", DESTROY, order="ORDER 7", method="burning", place="the yard", counted_before=5, counted_after=1,
        witness_1="A-1002", lines=scans(RIFLES[0], RIFLES[1], "NEW 1"), paper=paper(1, ago()),
    )  # fmt: skip
    assert posted.fact
    assert [country.where(serial) for serial in (RIFLES[0], RIFLES[1], "NEW 1")] == ["destroyed"] * 3
    assert kinds(posted) == [
        "count does not fit", "destroyed without an order", "held elsewhere", "second party missing", "unknown weapon",
        "witness missing",
    ]  # fmt: skip
    said = country.query(
        "SELECT books_said, seen FROM discrepancy WHERE document_id = %s AND kind IN ('count does not fit', 'witness missing') "
        "ORDER BY kind",
        posted.document_id,
    )
    assert said == [
        ("two counts that differ by the 3 destroyed", "5 before, 1 afterwards"),
        ("two witnesses, neither who posted nor who approved it", "witness_2: nobody is named"),
    ]


def test_of_a_paper_each_weapon_off_its_order_is_told(country: Country) -> None:
    """The order is there; one of two rifles is not on it."""
    order = ordered(country, *scans(RIFLES[0]))
    fact = {**certificate(order, *scans(*RIFLES[:2])), "attachments": [], "paper": paper(1, ago())}
    posted = country.do("clerk", DESTROY, **fact)
    assert kinds(posted) == ["destroyed without an order", "second party missing"]
    (of_item,) = country.query(
        "SELECT item_id FROM discrepancy WHERE document_id = %s AND kind = 'destroyed without an order'",
        posted.document_id,
    )
    assert of_item == (country.item(RIFLES[1]).item_id,)


def test_the_list_of_orders_says_what_is_overdue(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """Done, waiting, taken back, and one whose day has passed; the auditor sees all sites', a site its own, a donor none."""
    done, waits, back = (ordered(country, *scans(RIFLES[n])) for n in range(3))
    certified(country, done, *scans(RIFLES[0]))
    country.do_with_approval("clerk", "commander", CORRECT, document=back.document_id, reason="still needed")
    last_month = documents.now() - timedelta(days=30)
    with monkeypatch.context() as patch:
        patch.setattr(destruction_order, "now", lambda: last_month)
        late = ordered(country, *scans(RIFLES[3]), due_on=str(today() - timedelta(days=1)))
    shown = {row.number: (row.state, row.left, row.authority) for row in orders(country)}
    assert shown == {
        done.number: ("certified", 0, ORDER["authority"]),
        waits.number: ("ordered", 1, ORDER["authority"]),
        back.number: ("taken back", 0, ORDER["authority"]),
        late.number: ("overdue", 1, ORDER["authority"]),
    }
    assert [row.number for row in orders(country, state=OrderState.OVERDUE)] == [late.number]
    assert len(orders(country, "auditor")) == 4
    assert orders(country, "auditor", site="ERBIL") == []
    assert orders(country, "erbil clerk") == []
    with pytest.raises(NotAllowed):
        orders(country, "erbil clerk", site="TAJI")
    with pytest.raises(NotAllowed):
        orders(country, "USA")
    with pytest.raises(NotFound):
        orders(country, "auditor", site="NOWHERE")


def test_the_list_of_orders_as_it_was_on_either_clock(country: Country) -> None:
    """Before the certificate it was ordered, before the order it was nothing; what was taken back since was ordered then."""
    before = documents.now()
    done, back = ordered(country, *scans(RIFLES[0])), ordered(country, *scans(RIFLES[1]))
    between = documents.now()
    certified(country, done, *scans(RIFLES[0]))
    country.do_with_approval("clerk", "commander", CORRECT, document=back.document_id, reason="still needed")

    def states(at: AsOf) -> list[str]:
        return [row.state for row in orders(country, "auditor", at=at)]

    assert states(NOW) == states(AsOf(recorded_at=documents.now())) == ["certified", "taken back"]
    for then in (AsOf(recorded_at=between), AsOf(between, between)):
        assert states(then) == ["ordered", "ordered"]
    assert states(AsOf(happened_at=between)) == ["ordered", "taken back"]
    for then in (AsOf(recorded_at=before), AsOf(happened_at=before)):
        assert states(then) == []


def test_another_site_destroys_nothing_here(country: Country) -> None:
    """ERBIL's clerk neither finds TAJI's order nor moves its rifle."""
    order = ordered(country, *scans(RIFLES[0]))
    assert country.invalid("erbil clerk", DESTROY, **certificate(order, *scans(RIFLES[0])))[0][0] == "order"
    with pytest.raises(NotAllowed):
        country.ask("erbil clerk", ORDER_DESTRUCTION, **ORDER, site="TAJI", lines=scans(RIFLES[0]))
    with pytest.raises(NotAllowed):
        country.ask("auditor", DESTROY, **certificate(order, *scans(RIFLES[0])))

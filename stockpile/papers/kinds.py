"""The papers as data: for each act what its paper is called, which form it compares with, and who stands on it in which part. A
rule that is not in this table belongs to the paper's own file.

Form numbers are those of shared standards' section 8 (US Army papers), given as a hint to whoever knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stockpile.movements import Act
from stockpile.papers.words import Word


@dataclass(frozen=True, slots=True)
class Part:
    """A part somebody takes in a paper. `key` is the document's part or the detail that names them in words; an `always` part
    has its box even where nobody is named: a line to sign by hand.
    """

    key: str
    label: str
    always: bool = False


@dataclass(frozen=True, slots=True)
class PaperKind:
    """What the paper of an act is."""

    title: str
    parts: tuple[Part, ...]
    form: str | None = None
    statement: str | None = None


POSTED = Part("posted_by", "Posted by", always=True)
APPROVED = Part("approved_by", "Approved by")
RECEIVED_ALWAYS = Part("received_by", "Received by", always=True)
REPORTED = Part("reported_by", "Reported by", always=True)

HAND_RECEIPT = PaperKind(
    "Hand receipt",
    (Part("posted_by", "Issued by", always=True), RECEIVED_ALWAYS, APPROVED),
    "DA 2062",
    "I have received what is listed and answer for it until it is returned.",
)
WEAPON_CARD = PaperKind(
    "Weapon card", (Part("posted_by", "Issued by", always=True), RECEIVED_ALWAYS), "DA 3749"
)  # fmt: skip
LOSS_REPORT = PaperKind("Loss report", (REPORTED, Part("posted_by", "Recorded by", always=True), APPROVED), "DA 3056")

KINDS: Mapping[Act, PaperKind] = {
    Act.OPEN: PaperKind("Opening list", (POSTED, APPROVED)),
    Act.DECLARE: PaperKind("Shipping list", (POSTED, APPROVED)),
    Act.SHIP: PaperKind(
        "Transfer order",
        (
            Part("posted_by", "Shipped by", always=True),
            Part("carried", "Taken over by the carrier", always=True),
            Part("arrived", "Received at the destination", always=True),
        ),
        "DA 3161",
    ),
    Act.RECEIVE: PaperKind(
        "Receiving report",
        (Part("posted_by", "Received by", always=True), Part("delivered_by", "Delivered by", always=True)),
    ),
    Act.REJECT: PaperKind("Rejection", (POSTED, APPROVED)),
    Act.REGISTER_GAIN: PaperKind("Gain report", (POSTED, APPROVED, Part("surrendered_by", "Surrendered by"))),
    Act.MARK: PaperKind("Marking record", (Part("posted_by", "Marked by", always=True),)),
    Act.ISSUE: HAND_RECEIPT,
    Act.HAND_OVER: PaperKind(
        "Lateral transfer",
        (
            Part("handed_over_by", "Handed over by", always=True),
            RECEIVED_ALWAYS,
            Part("posted_by", "Recorded by", always=True),
        ),
        "DA 3161",
        "Handed over and received as listed.",
    ),
    Act.RETURN: PaperKind(
        "Turn-in",
        (Part("handed_over_by", "Returned by", always=True), Part("posted_by", "Received by", always=True)),
        "DA 3161",
        "Returned and received as listed.",
    ),
    Act.MAINTAIN: PaperKind(
        "Work order", (POSTED, Part("handed_over_by", "Handed over by"), Part("received_by", "Received by"))
    ),
    Act.REPORT_MISSING: LOSS_REPORT,
    Act.OVERRUN: LOSS_REPORT,
    Act.CONCLUDE_LOSS: PaperKind("Investigation of a loss", (POSTED, APPROVED), "DD 200"),
    Act.RECOVER: PaperKind("Recovery report", (POSTED, Part("handed_over_by", "Given back to"), APPROVED)),
    Act.EXPEND: PaperKind("Expenditure report", (POSTED, APPROVED)),
    Act.ORDER_DESTRUCTION: PaperKind("Destruction order", (Part("posted_by", "Asked for by", always=True), APPROVED)),
    Act.DESTROY: PaperKind(
        "Destruction certificate",
        (
            Part("witness_1", "First witness", always=True),
            Part("witness_2", "Second witness", always=True),
            Part("posted_by", "Certified by", always=True),
            Part("approved_by", "Approved by", always=True),
        ),
        statement="Destroyed before our eyes as listed, counted before and after.",
    ),
    Act.EXPORT: PaperKind("Export authorisation", (POSTED, APPROVED)),
    Act.IMPORT_AGAIN: PaperKind(
        "Receiving report",
        (Part("posted_by", "Received by", always=True), Part("received_from", "Delivered by", always=True)),
    ),
    Act.CHANGE_CUSTODIAN: PaperKind(
        "Joint inventory",
        (
            Part("handed_over_by", "Handed over by", always=True),
            Part("received_by", "Taken over by", always=True),
            POSTED,
            APPROVED,
        ),
        statement="Counted together, every weapon by its serial number.",
    ),
    Act.AMEND_IDENTIFICATION: PaperKind("Correction of an identification", (POSTED, APPROVED)),
    Act.CORRECT: PaperKind("Correction", (POSTED, APPROVED)),
    Act.VOID: PaperKind("Void document", (POSTED,)),
}
"""Act -> its paper. An act without a paper of its own prints as a general voucher."""

VOUCHER = PaperKind("Voucher", (POSTED, APPROVED))


def kind_of(act: str, details: Mapping[str, Any]) -> PaperKind:
    """The paper of a document. A draw's issue is a weapon card."""
    if act == Act.ISSUE and details.get("paper") == "weapon card":
        return WEAPON_CARD
    try:
        return KINDS[Act(act)]
    except (ValueError, KeyError):
        return VOUCHER


def title(kind: PaperKind) -> Word:
    """Its title as a word."""
    return Word(kind.title)

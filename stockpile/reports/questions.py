"""The fifteen questions of the auditor: each with the published finding that it answers, and where it is asked. The questions themselves
stand in the files of the reports; this is their table of contents, in the auditor's order.
"""

from __future__ import annotations

from dataclasses import dataclass

from stockpile.reports import (
    allowances,
    consignments,
    counts_due,
    destruction_orders,
    handover_papers,
    holders,
    holdings,
    inspections,
    loss_timeliness,
    losses,
    records,
    routine_visits,
    serial_capture,
    transit,
    trial_balance,
    unaccounted,
    unusual,
)
from stockpile.rights import DONOR, Actor
from stockpile.sentences import template


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a question is asked: the page, the address in the API, the command. `donors`: whether a donor may ask it of its own;
    `of_consignments`: whether somebody may who reads single consignments alone.
    """

    question: str
    page: str
    api: str
    command: str
    donors: bool = True
    of_consignments: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """A report by its number: what it is called, its question in one sentence, the published finding it answers, and where it is asked.
    None of these yet: nobody answers it so far.
    """

    number: int
    name: str
    question: str
    finding: str
    asked: tuple[Asked, ...] = ()

    def open_to(self, actor: Actor) -> tuple[Asked, ...]:
        """Where somebody may ask it."""
        whole = actor.consignments is None
        return tuple(
            one for one in self.asked if (one.donors or actor.role != DONOR) and (one.of_consignments or whole)
        )


REPORTS: tuple[Report, ...] = (
    Report(
        1, template("Trial balance"), trial_balance.QUESTION, trial_balance.FINDING,
        (Asked(trial_balance.QUESTION, "/reports/balance", "/v1/balance", "stockpile balance"),),
    ),
    Report(
        2, template("Unaccounted for"), unaccounted.QUESTION, unaccounted.FINDING,
        (Asked(unaccounted.QUESTION, "/reports/unaccounted", "/v1/reports/unaccounted", "stockpile unaccounted", donors=False),),
    ),
    Report(
        3, template("Serial numbers recorded"), serial_capture.QUESTION, serial_capture.FINDING,
        (Asked(serial_capture.QUESTION, "/reports/serial-capture", "/v1/reports/serial-capture", "stockpile serial-capture"),),
    ),
    Report(
        4, template("Repeated, conflicting and incomplete records"), records.QUESTION, records.FINDING,
        (Asked(records.QUESTION, "/reports/records", "/v1/reports/records", "stockpile records", donors=False),),
    ),
    Report(
        5, template("Handovers without complete papers"), handover_papers.QUESTION, handover_papers.FINDING,
        (Asked(handover_papers.QUESTION, "/reports/handover-papers", "/v1/reports/handover-papers", "stockpile handover-papers"),),
    ),
    Report(
        6, template("Overdue in transit"), transit.QUESTION, transit.FINDING,
        (Asked(transit.QUESTION, "/reports/transit", "/v1/reports/transit", "stockpile transit", donors=False),),
    ),
    Report(
        7, template("Counts and inspections due"), inspections.QUESTION, inspections.FINDING,
        (
            Asked(inspections.QUESTION, "/reports/inspections", "/v1/reports/inspections", "stockpile inspections"),
            Asked(routine_visits.QUESTION, "/reports/routine-visits", "/v1/reports/routine-visits", "stockpile visit due",
                  of_consignments=False),
            Asked(counts_due.QUESTION, "/counts/due", "/v1/counts/due", "stockpile count due", donors=False),
        ),
    ),
    Report(
        8, template("Holdings as of a moment, and what an overrun lost"), holdings.QUESTION, holdings.FINDING,
        (
            Asked(holdings.QUESTION, "/holdings", "/v1/reports/holdings", "stockpile holdings"),
            Asked(template("What did an overrun take, with serial numbers?"), "/documents?act=overrun",
                  "/v1/documents/{document_id}/lines", "stockpile lost --cause overrun"),
        ),
    ),
    Report(
        9, template("Issued to whom nobody should have issued"), holders.QUESTION, holders.FINDING,
        (Asked(holders.QUESTION, "/reports/holders", "/v1/reports/holders", "stockpile holders", donors=False),),
    ),
    Report(
        10, template("Losses and investigations"), losses.QUESTION, losses.FINDING,
        (
            Asked(losses.QUESTION, "/reports/losses-by", "/v1/reports/losses-by", "stockpile losses-by"),
            Asked(template("Which investigations are open, and for how long?"), "/reports/lost?state=missing",
                  "/v1/reports/lost?state=missing", "stockpile lost --state missing"),
            Asked(loss_timeliness.QUESTION, "/reports/losses", "/v1/reports/losses", "stockpile losses"),
        ),
    ),
    Report(
        11, template("Consignments"), consignments.QUESTION, consignments.FINDING,
        (Asked(consignments.QUESTION, "/reports/consignments", "/v1/reports/consignments", "stockpile consignments"),),
    ),
    Report(
        12, template("Unusual"), unusual.QUESTION, unusual.FINDING,
        (Asked(unusual.QUESTION, "/reports/unusual", "/v1/reports/unusual", "stockpile unusual"),),
    ),
    Report(
        13, template("Excess over authorised strength"), allowances.QUESTION, allowances.FINDING,
        (Asked(allowances.QUESTION, "/reports/allowances", "/v1/reports/allowances", "stockpile allowances", donors=False),),
    ),
    Report(
        14, template("Destruction"), destruction_orders.QUESTION, destruction_orders.FINDING,
        (
            Asked(destruction_orders.QUESTION, "/destruction-orders", "/v1/destruction-orders", "stockpile destruction-orders",
                  donors=False),
        ),
    ),
    Report(
        15, template("Custody of one weapon or consignment"),
        template("What is the complete custody of one weapon or consignment, as a document with proof attached?"),
        template("There was no centralised record of all equipment distributed before December 2005 (GAO-07-711, 2007)."),
        (
            Asked(template("What became of one weapon? On its page: print its whole custody."), "/weapons",
                  "/v1/weapons/{item_id}/custody.pdf", "stockpile print custody"),
            Asked(template("What became of one consignment, weapon by weapon?"), "/reports/consignments",
                  "/v1/consignments/custody.pdf", "stockpile print consignment"),
        ),
    ),
)  # fmt: skip
"""In the auditor's order."""

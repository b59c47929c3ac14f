"""The command line: `stockpile --help` tells what there is. Each command stands in `stockpile/commands`, by subject."""

from __future__ import annotations

from stockpile.commands import (
    acts,
    alerts,
    allowances,
    approving,
    asked_reports,
    audits,
    backing_up,
    cases,
    catalogue,
    closing,
    counting,
    devices,
    drawing,
    erasing,
    evidence,
    files,
    following,
    founding,
    guests,
    identification,
    labels,
    lists,
    manual,
    monitoring,
    packaging,
    parties,
    printing,
    providers,
    proving,
    registers,
    replaying,
    reports,
    reports_of_people,
    running,
    sharing,
    sites,
    statements,
    tls,
    tokens,
    tracing,
    transfers,
    transparency,
    treaty_returns,
    users,
    verifying,
    visits,
    witnessing,
)
from stockpile.commands.shown import new_group

app = new_group("Accountability for serial-numbered weapons: a double-entry custody ledger.")
app.command("run")(running.run)
app.command("serve")(running.serve)
app.command("init")(founding.init)
app.command("backup")(backing_up.backup)
app.command("restore")(backing_up.restore)
app.command("act")(acts.act)
app.command("attach")(evidence.attach)
app.command("note")(evidence.add_note)
app.command("notes")(evidence.show_notes)
app.command("declare")(lists.declare)
app.command("receive")(lists.receive)
app.command("emergency-issue")(lists.emergency_issue)
app.command("open")(lists.open_books)
app.command("gain")(lists.gain)
app.command("mark")(identification.mark)
app.command("amend")(identification.amend)
app.command("draw")(drawing.draw)
app.command("cards")(drawing.show_cards)
app.command("shipments")(transfers.show_shipments)
app.command("reconcile")(audits.reconcile)
app.command("find")(reports.show_found)
app.command("proof")(transparency.write_proof)
app.command("tag")(reports.print_tag)
app.command("history")(reports.show_history)
app.command("balance")(reports.show_balance)
app.command("discrepancies")(reports.show_discrepancies)
app.command("documents")(reports.show_documents)
app.command("destruction-orders")(reports.show_destruction_orders)
app.command("alerts")(alerts.show_alerts)
app.command("allowances")(allowances.show_excess)
app.command("serial-capture")(monitoring.show_serial_capture)
app.command("inspections")(monitoring.show_inspections)
app.command("losses")(monitoring.show_losses)
app.command("treaty-return")(treaty_returns.write_treaty_return)
app.command("handover-papers")(reports_of_people.show_handover_papers)
app.command("holders")(reports_of_people.show_holders)
app.command("unusual")(reports_of_people.show_unusual)
app.command("reports")(asked_reports.show_reports)
app.command("losses-by")(asked_reports.show_losses_by)
app.command("lost")(asked_reports.show_lost)
app.command("consignments")(asked_reports.show_consignments)
app.command("progress")(following.show_progress)
app.command("consignment-proof")(following.write_consignment_proof)
app.command("transit")(asked_reports.show_transit)
app.command("records")(asked_reports.show_records)
app.command("unaccounted")(asked_reports.show_unaccounted)
app.command("holdings")(asked_reports.show_holdings)
app.command("holdings-over-time")(asked_reports.show_holdings_over_time)
app.command("flows")(asked_reports.show_flows)
app.command("count-compliance")(asked_reports.show_count_compliance)
app.command("books")(devices.show_books)
app.command("rejects")(files.write_rejects)
app.command("drafts")(approving.show_drafts)
app.command("draft")(approving.show_draft)
app.command("approve")(approving.approve)
app.command("reject")(approving.reject)
app.command("movements")(manual.movements)
app.command("check-proof")(proving.check_proof)
app.command("find-entries")(proving.find_entries)
app.command("replay")(replaying.replay)
app.command("package")(packaging.write_package)
app.command("verify")(verifying.verify)
for name, group in (
    ("db", founding.database),
    ("token", tokens.token),
    ("user", users.user),
    ("provider", providers.provider),
    ("guest", guests.guest),
    ("share", sharing.share),
    ("log", transparency.log),
    ("witness", witnessing.witness),
    ("files", evidence.files),
    ("erasure", erasing.erasure),
    ("alert", alerts.alert),
    ("site", sites.site),
    ("store", sites.store),
    ("account", sites.account),
    ("unit", parties.unit),
    ("person", parties.person),
    ("roster", parties.roster),
    ("card", parties.card),
    ("allowance", allowances.allowance),
    ("donor", parties.donor),
    ("assignment", drawing.assignment),
    ("case", cases.case),
    ("closure", closing.closure),
    ("count", counting.count),
    ("seal", counting.seal),
    ("label", labels.label),
    ("tls", tls.tls),
    ("shipment", transfers.shipment),
    ("statement", statements.statement),
    ("visit", visits.visit),
    ("trace", tracing.trace),
    ("register", registers.register),
    ("audit", audits.audit),
    ("device", devices.device),
    ("model", catalogue.model),
    ("alias", catalogue.alias),
    ("print", printing.printing),
):
    app.add_typer(group, name=name)

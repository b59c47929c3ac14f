"""The command line: `stockpile --help` tells what there is. Each command stands in `stockpile/commands`, by subject."""

from __future__ import annotations

from stockpile.commands import approving, files, founding, lists, manual, reference, reports, running
from stockpile.commands.shown import new_group

app = new_group("Accountability for serial-numbered weapons: a double-entry custody ledger.")
app.command("run")(running.run)
app.command("serve")(running.serve)
app.command("init")(founding.init)
app.command("declare")(lists.declare)
app.command("receive")(lists.receive)
app.command("open")(lists.open_books)
app.command("find")(reports.show_found)
app.command("history")(reports.show_history)
app.command("balance")(reports.show_balance)
app.command("discrepancies")(reports.show_discrepancies)
app.command("documents")(reports.show_documents)
app.command("rejects")(files.write_rejects)
app.command("drafts")(approving.show_drafts)
app.command("approve")(approving.approve)
app.command("movements")(manual.movements)
for name, group in (
    ("db", founding.database),
    ("token", reference.token),
    ("site", reference.site),
    ("store", reference.store),
    ("unit", reference.unit),
    ("person", reference.person),
    ("donor", reference.donor),
    ("model", reference.model),
    ("alias", reference.alias),
):
    app.add_typer(group, name=name)

"""Counts as pages: opened, keyed, closed, what was found; and from what is missing to the loss report, which alone changes the books."""

from __future__ import annotations

import re

import pytest
from httpx import Response

from stockpile.keys import new_key
from tests.api_world import Web, served
from tests.reading_pages import BROWSER, PageRead, read, visit
from tests.world import HELMET, RIFLES

web = pytest.fixture(served)

STORE = "Main store"


def send(web: Web, who: str, path: str, **fields: str | list[str]) -> Response:
    """A form that somebody sends."""
    return web.client.post(path, data=fields, headers={**BROWSER, **web.headers(who)}, follow_redirects=False)


def opened(web: Web, who: str = "clerk", **fields: str) -> str:
    """A count opened by the form: where it is followed."""
    form = {"count_id": str(new_key()), "scope": "account", "of": STORE, "counters": "T-1, T-2", **fields}
    answer = send(web, who, "/counts", **form)
    assert answer.status_code == 303, read(answer).text
    return answer.headers["location"]


def figures(page: PageRead) -> dict[str, str]:
    """What a closed count found: the kind, and how many."""
    return {told.split(" ", 1)[1]: told.split(" ", 1)[0] for told in page.links if re.match(r"\d+ [a-z]", told)}


def test_a_count_from_opening_to_what_it_found(web: Web) -> None:
    """The clerk opens it and keys eight rifles, one of them twice, and a stranger; nobody is told what is expected until the
    commander closes it, and what is missing leads to the report.
    """
    path = opened(web)
    page = visit(web, "clerk", path)
    assert page.heading == "CountTAJI/COUNT/1"
    assert "nobody is told what the books have" in page.text
    assert RIFLES[9] not in page.text
    batch = str(new_key())
    said = read(send(web, "second clerk", f"{path}/lines", batch_id=batch, read="\n".join((*RIFLES[:8], "ZZ 1", RIFLES[0])),
                     model=["", HELMET], quantity=["", "97"])).text  # fmt: skip
    for told in ("11 lines were kept.", "1 was read before.", "1 is in no book."):
        assert told in said
    assert len(visit(web, "clerk", "/counts/lines?count=TAJI/COUNT/1").rows) == 11
    assert "It takes an armourer" in read(send(web, "clerk", f"{path}/close")).text
    assert send(web, "commander", f"{path}/close").status_code == 303
    page = visit(web, "commander", path)
    assert figures(page) == {"matched": "8", "missing": "2", "unexpected": "1", "quantity differs": "1"}
    missing = visit(web, "commander", page.links["2 missing"])
    assert [(row["Serial number"], row["The ledger has it in"]) for row in missing.rows] == [
        (RIFLES[8], STORE),
        (RIFLES[9], STORE),
    ]
    assert web.country.where(RIFLES[9]) == STORE, "a count edits nothing"
    listed = visit(web, "auditor", "/counts?state=closed")
    assert [(row["Count"], row["State"], row["Lines"]) for row in listed.rows] == [("TAJI/COUNT/1", "closed", "11")]
    assert visit(web, "erbil clerk", "/counts").rows == []
    visit(web, "erbil clerk", path, 404)
    visit(web, "USA", "/counts", 403)


def test_what_a_count_misses_is_reported_by_a_person(web: Web) -> None:
    """Both are named already; the clerk unticks the one that lay on the bench, says where the other was seen last: it is missing."""
    path = opened(web)
    send(web, "second clerk", f"{path}/lines", batch_id=str(new_key()), read="\n".join(RIFLES[:8]))
    send(web, "commander", f"{path}/close")
    page = visit(web, "clerk", "/loss-reports/new?count=TAJI/COUNT/1")
    assert RIFLES[8] in page.text
    assert RIFLES[9] in page.text
    key, lost = page.fields["document_id"], str(web.country.item(RIFLES[9]).item_id)
    form = {
        "document_id": key,
        "item": [lost],
        "listed": [lost],
        "count": "TAJI/COUNT/1",
        "last_seen_at": "2026-11-20T06:00",
    }
    answer = send(web, "clerk", "/loss-reports", **form, circumstances="Not found at the count", place="")
    assert (answer.status_code, read(answer).fields["last_seen_at"]) == (422, "2026-11-20T06:00")
    assert web.country.where(RIFLES[9]) == STORE
    form |= {"circumstances": "Not found at the count", "place": "Rack 4"}
    first, again = (send(web, "clerk", "/loss-reports", **form) for _ in range(2))
    assert (first.status_code, first.headers["location"]) == (303, again.headers["location"])
    assert (web.country.where(RIFLES[9]), web.country.where(RIFLES[8])) == ("missing", STORE)
    left = visit(web, "clerk", "/loss-reports/new?count=TAJI/COUNT/1")
    assert RIFLES[8] in left.text
    assert RIFLES[9] not in left.text, "it is reported already"
    visit(web, "registrar", "/loss-reports/new?count=TAJI/COUNT/1", 403)
    assert "No weapon was named" in visit(web, "clerk", "/loss-reports/new").text


def test_a_form_that_cannot_be_keeps_what_was_typed(web: Web) -> None:
    """A store nobody knows, a counter nobody knows, a model nobody knows, a count closed unread."""
    form = {"count_id": str(new_key()), "scope": "account", "of": "Back room", "counters": "T-1"}
    answer = read(send(web, "clerk", "/counts", **form))
    assert (answer.fields["of"], answer.fields["counters"]) == ("Back room", "T-1")
    assert "Account" in answer.text
    assert (
        "not a service number of TAJI"
        in read(send(web, "clerk", "/counts", **form | {"of": STORE, "counters": "Z-9"})).text
    )
    path = opened(web)
    told = read(send(web, "clerk", f"{path}/lines", batch_id=str(new_key()), model=["Kettle"], quantity=["x"]))
    assert "quantity" in told.text
    assert "nothing was typed" in read(send(web, "clerk", f"{path}/lines", batch_id=str(new_key()), read=" ")).text
    assert "no line came" in read(send(web, "commander", f"{path}/close")).text
    assert send(web, "clerk", f"{path}/abandon", because="").status_code == 422
    assert send(web, "clerk", f"{path}/abandon", because="the wrong store").status_code == 303
    assert "the wrong store" in visit(web, "clerk", path).text


def test_keys_are_handed_over_by_number(web: Web) -> None:
    """At the change of guard only how many rifles there are: no serial number is asked for."""
    path = opened(web, method="quantity")
    page = visit(web, "clerk", path)
    assert "one a line" not in page.text
    send(web, "clerk", f"{path}/lines", batch_id=str(new_key()), model=["AKM", HELMET], quantity=["9", "100"])
    send(web, "commander", f"{path}/close")
    assert figures(visit(web, "commander", path)) | {"matched": "0", "missing": "0", "unexpected": "0"} == {
        "quantity matched": "1", "quantity differs": "1", "matched": "0", "missing": "0", "unexpected": "0",
    }  # fmt: skip


def test_what_is_due_leads_to_the_form(web: Web) -> None:
    """The commander's start page counts it; its row opens the form with the store in it; a closed count is repeated for its
    differences only.
    """
    start = visit(web, "commander", "/")
    (due,) = (text for text in start.links if text.endswith("Counts due"))
    rows = visit(web, "commander", start.links[due])
    assert due.startswith(f"{len(rows.rows)} ")
    form = visit(web, "commander", rows.links["Open a count"])
    assert form.fields["of"] == STORE
    path = opened(web, "registrar", site="TAJI", counters="A-1001 T-2")
    send(web, "second clerk", f"{path}/lines", batch_id=str(new_key()), read="\n".join(RIFLES[:8]))
    assert send(web, "auditor", f"{path}/close").status_code == 303
    again = visit(web, "auditor", path).links["Count the differences again"]
    page = visit(web, "clerk", again)
    repeat = opened(web, recount_of=page.fields["recount_of"], counters="A-1001", seeing="yes")
    assert {row["Serial number"] for row in visit(web, "clerk", "/counts/expected?count=TAJI/COUNT/2").rows} == set(
        RIFLES[8:]
    )
    assert "TAJI/COUNT/1" in visit(web, "clerk", repeat).text


def test_a_container_is_sealed_counted_by_its_seal_and_opened(web: Web) -> None:
    """The clerk seals two rifles from the count's page; a third that is elsewhere is refused with what was typed; the seal counts both;
    found broken it counts none.
    """
    path = opened(web)
    form = visit(web, "clerk", visit(web, "clerk", path).links["Seal a container"]).fields | {"number": "S-004411"}
    form |= {"container": "Crate 12", "store": STORE, "weapons": f"{RIFLES[0]}\n{RIFLES[1]}\nZZ 1"}
    refused = read(send(web, "clerk", "/seals", **form))
    assert ("ZZ 1" in refused.text, refused.fields["number"]) == (True, "S-004411")
    assert "scan what is in it" in read(send(web, "clerk", "/seals", **form | {"weapons": "", "count": ""})).text
    visit(web, "USA", "/seals/new", 403)
    sealed = send(web, "clerk", "/seals", **form | {"weapons": f"{RIFLES[0]}\n{RIFLES[1]}"}).headers["location"]
    assert send(web, "erbil clerk", f"{sealed}/break").status_code == 404
    assert {row["Serial number"] for row in visit(web, "clerk", sealed).rows} == {RIFLES[0], RIFLES[1]}
    batch = str(new_key())
    said = read(send(web, "second clerk", f"{path}/lines", batch_id=batch, read=RIFLES[2], seals="S-004411")).text
    assert "3 lines were kept." in said
    from_count = {"number": "S-004412", "container": "Crate 13", "count": "TAJI/COUNT/1", "store": STORE, "weapons": ""}
    assert "read no weapon in it" in read(send(web, "clerk", "/seals", **from_count)).text
    listed = visit(web, "commander", visit(web, "commander", path).links["A seal is broken"])
    assert [(row["Seal"], row["Weapons"]) for row in listed.rows] == [("S-004411", "2")]
    wrong = send(web, "commander", f"{sealed}/break", broken_at="2020-01-01T00:00")
    assert (wrong.status_code, read(wrong).fields["broken_at"]) == (422, "2020-01-01T00:00")
    assert send(web, "commander", f"{sealed}/break", broken_at="").status_code == 303
    assert "It is broken" in visit(web, "clerk", sealed).text
    told = read(send(web, "clerk", f"{path}/lines", batch_id=str(new_key()), seals="S-004411"))
    assert "it was broken" in told.text
    assert "S-004411" in told.text
    assert visit(web, "clerk", "/seals?broken=no").rows == []


def sheet(web: Web, who: str, path: str, text: str | None = None, **fields: str | list[str]) -> Response:
    """A keyed sheet that somebody sends."""
    files = {"file": ("sheet.csv", text)} if text is not None else {"nothing": ("", "")}
    headers = {**BROWSER, **web.headers(who)}
    return web.client.post(f"{path}/sheet", data=fields, files=files, headers=headers, follow_redirects=False)


def test_a_printed_sheet_is_keyed_from_a_file(web: Web) -> None:
    """Its headings tell nothing: the form asks which column is which, keeps the file, and remembers it. A row that cannot be read is
    named, and nothing is kept.
    """
    path = opened(web)
    form = visit(web, "clerk", visit(web, "clerk", path).links["Key a printed sheet from a file"]).fields
    asked = {"batch_id": form["batch_id"], "counted_at": "", "counted_by": "T-2"}
    assert "choose the file" in read(sheet(web, "clerk", path, **asked)).text
    rows = "".join(f"{serial};AKM\n" for serial in RIFLES[:8])
    told = sheet(web, "clerk", path, f"Written;Sort\n{rows}", **asked)
    page = read(told)
    assert (told.status_code, page.fields["counted_by"], page.fields["name"]) == (422, "T-2", "sheet.csv")
    assert RIFLES[0] in page.text
    again = asked | {"sha256": page.fields["sha256"], "name": page.fields["name"], "counted_at": "soon"}
    columns = {"field": ["serial_number", "model"], "column": ["Written", "Sort"]}
    late = sheet(web, "clerk", path, **again, **columns)
    assert "write it like 2026-11-20 09:30" in read(late).text
    assert '<option value="Written" selected>' in late.text, "what was chosen stays"
    kept = read(sheet(web, "clerk", path, **again | {"counted_at": ""}, **columns))
    assert "8 lines were kept." in kept.text
    assert len(visit(web, "clerk", "/counts/lines?count=TAJI/COUNT/1").rows) == 8
    bad = read(sheet(web, "clerk", path, "Written;Sort;Qty\n;Kettle;1\n", **asked | {"batch_id": str(new_key())}))
    assert "Nothing was counted" in bad.text
    assert len(visit(web, "clerk", "/counts/lines?count=TAJI/COUNT/1").rows) == 8
    assert sheet(web, "erbil clerk", path, "a\n1\n", **asked).status_code == 404
    visit(web, "USA", f"{path}/sheet", 403)
    send(web, "commander", f"{path}/close")
    visit(web, "clerk", f"{path}/sheet", 409)


@pytest.mark.parametrize("other", ["/etc/passwd", "../../../../../../../../etc/passwd"])
def test_a_sheet_s_name_leads_to_no_other_file(web: Web, other: str) -> None:
    """What is no digest of a stored file is not read, whatever it names on the machine."""
    answer = sheet(web, "clerk", opened(web), batch_id=str(new_key()), counted_by="T-2", sha256=other, name="x.csv")
    assert answer.status_code == 422
    assert "root:" not in answer.text

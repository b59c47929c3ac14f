"""The catalogue in the books: a registrar adds a model and mends its data, and says once what a foreign name means."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stockpile import catalogue, models
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Invalid, NotFound
from stockpile.models import MendedModel, NewModel
from tests.api_world import Web, problem, served
from tests.rosters import stored
from tests.world import Country

web = pytest.fixture(served)
CARBINE: dict[str, Any] = {
    "maker": "Cugir", "name": "PM md. 90", "category": "small arms", "subcategory": "self-loading rifle", "country": "RO",
    "calibre": "7.62x39mm", "fire_mode": "automatic", "security_risk_category": "II", "value": "420.50",
    "value_source": "contract 117", "treaty_row": "small arms 4", "stock_number": "1005-01-231-0973",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))


def test_what_ships_is_in_the_books_whole(web: Web) -> None:
    """The AKM with fire mode, risk, value and treaty row; the M4 with its stock number; helmets and vests counted, the
    missile under enhanced monitoring."""
    found = {row["name"]: row for row in web.get("clerk", "/v1/models", limit=500).json()["rows"]}
    akm = found["AKM"]
    assert (akm["fire_mode"], akm["security_risk_category"], akm["treaty_row"]) == ("automatic", "II", "small arms 4")
    assert Decimal(akm["value"]) > 0
    assert found["M4"]["stock_number"] == "1005-01-231-0973"
    assert found["FIM-92 Stinger"]["enhanced_monitoring"]
    counted = {name for name, row in found.items() if row["tracked_by"] == "quantity"}
    assert {"Helmet"} < counted
    assert any("armour" in name.lower() for name in counted)
    assert any("magazine" in name.lower() for name in counted)


def test_a_registrar_adds_a_model_and_it_can_be_received(web: Web) -> None:
    """As it was said, to the last field; the next receipt knows it by its name."""
    added = web.post("registrar", "/v1/models", {**CARBINE, "variants": "folding stock"})
    assert added.status_code == 201, added.text
    shown = web.get("auditor", f"/v1/models/{added.json()['model_id']}").json()
    assert {name: shown[name] for name in CARBINE} == CARBINE
    assert (shown["tracked_by"], shown["enhanced_monitoring"]) == ("serial", False)
    web.posted(
        "clerk", "/v1/receipts", {"store": "Main store", "lines": [{"model": "pm MD. 90", "serial_number": "R 1"}]}
    )
    told = problem(web.post("registrar", "/v1/models", {**CARBINE, "name": "pm  MD. 90"}), 422, "invalid")
    assert told["faults"][0]["field"] == "name"
    problem(web.get("auditor", f"/v1/models/{web.country.parties['USA'].party_id}"), 404, "not-found")


def test_a_registrar_mends_what_is_said_of_a_model(web: Web) -> None:
    """The value and its source, a treaty row taken back; what is left out stays, maker and name can't be touched."""
    key = web.post("registrar", "/v1/models", CARBINE).json()["model_id"]
    mended = web.post("registrar", f"/v1/models/{key}/mend", {"value": "399.00", "treaty_row": None}).json()
    assert (mended["value"], mended["treaty_row"], mended["calibre"]) == ("399.00", None, "7.62x39mm")
    for body, field in (({"name": "X"}, "name"), ({"maker": "X"}, "maker"), ({"tracked_by": "lot"}, "tracked_by"),
                        ({"category": None}, "category"), ({"fire_mode": "loud"}, "fire_mode")):  # fmt: skip
        told = problem(web.post("registrar", f"/v1/models/{key}/mend", body), 422, "invalid")
        assert [fault["field"] for fault in told["faults"]] == [field]
    problem(web.post("registrar", f"/v1/models/{key}/mend", {}), 422, "invalid")


def test_of_what_nobody_could_identify_nothing_is_said(country: Country) -> None:
    """The models of unidentified weapons and equipment stay blank."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        for model_id in (catalogue.UNIDENTIFIED_ID, catalogue.UNIDENTIFIED_EQUIPMENT.model_id):
            with pytest.raises(Invalid):
                models.mend_model(connection, model_id, MendedModel(calibre="9x19mm"))
        with pytest.raises(NotFound):
            models.mend_model(connection, country.parties["USA"].party_id, MendedModel(calibre="9x19mm"))


def test_an_unknown_name_waits_for_a_registrar_and_is_mapped_once(web: Web) -> None:
    """The list names a "Kalash, folding": set aside and shown with its source; mapped, the next list is read with it, and it
    can't be made to mean something else."""
    listing = stored('Serial,Model\nX 1,AKM\nX 2,"Kalash, folding"\n', set_aside=True)
    web.posted("clerk", "/v1/receipts", {"store": "Main store", "donor": "USA", "file": listing})
    (waiting,) = web.get("registrar", "/v1/aliases", mapped="false").json()["rows"]
    assert (waiting["source"], waiting["name"], waiting["model"], waiting["approved_by"]) == (
        "USA", "Kalash, folding", None, None,
    )  # fmt: skip
    akm, m4 = (web.get("registrar", "/v1/models", text=name).json()["rows"][0]["model_id"] for name in ("AKM", "M4"))
    body = {"source": "USA", "name": "KALASH,  folding", "model_id": akm}
    mapped = web.post("registrar", "/v1/aliases", body).json()
    assert (mapped["model"], mapped["approved_by"]) == ("Izhmash AKM", "Rana Registrar (R-1)")
    assert mapped["name"] == "Kalash, folding"
    assert web.get("registrar", "/v1/aliases", mapped="false").json()["rows"] == []
    assert web.get("auditor", "/v1/aliases", source="USA").json()["rows"] == [mapped]
    again = stored('Serial,Model\nX 2,"Kalash, folding"\n')
    web.posted("clerk", "/v1/receipts", {"store": "Main store", "donor": "USA", "file": again})
    assert web.country.item("X2").model_name == "AKM"
    told = problem(web.post("registrar", "/v1/aliases", {**body, "model_id": m4}), 422, "invalid")
    assert told["faults"][0]["field"] == "name"
    assert web.post("registrar", "/v1/aliases", body).status_code == 201


def test_a_name_means_what_its_own_source_says(country: Country) -> None:
    """What FRA calls "Kalash" is no word of USA's; the catalogue's aliases are everybody's."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        type_56 = catalogue.find_model(connection, "Type 56")
        assert type_56 is not None
        catalogue.map_alias(connection, "FRA", "Kalash", type_56.model_id, country.parties["registrar"].party_id)
        assert catalogue.find_model(connection, "kalash", "FRA") == type_56
        assert catalogue.find_model(connection, "kalash", "USA") is None
        assert catalogue.find_model(connection, "AKMS", "USA") is not None


def test_a_cell_too_long_to_be_a_name_is_set_aside_and_not_kept(country: Country) -> None:
    """A page of text in the model's column: its row is named, nothing breaks."""
    text = "".join(f"{n * 7919 % 99991:05} " for n in range(2000))
    file = stored(f"Serial,Model\nX 1,AKM\nX 2,{text}\n", set_aside=True)
    country.do("clerk", RECEIVE, store="Main store", donor="USA", file=file)
    assert country.query("SELECT line FROM register_line WHERE rejected IS NOT NULL") == [(3,)]
    assert country.query("SELECT count(*) FROM alias WHERE model_id IS NULL") == [(0,)]


def test_two_makers_may_use_one_name(country: Country) -> None:
    """The same name at two makers: alone it tells nothing, with its maker it does."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        for maker in ("Cugir", "Arsenal"):
            models.add_model(connection, NewModel(maker=maker, name="Model 90", category="small arms"))
        assert catalogue.find_model(connection, "Model 90") is None
        found = catalogue.find_model(connection, "arsenal model 90")
    assert found is not None
    assert found.maker == "Arsenal"

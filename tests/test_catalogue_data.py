"""The catalogue that ships has every arm observed in the field, and each row follows the published rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stockpile.catalogue import name_key
from stockpile.catalogue_data import (
    TREATY_ROWS,
    CatalogueModel,
    catalogue_aliases,
    catalogue_models,
    findings,
    read_aliases,
    read_models,
)
from stockpile.errors import Invalid

# Name | variants | country of design | calibre, as observed in the field, by subcategory.
OBSERVED = """
self-loading rifle:
  AKM | AKMS | SU | 7.62x39mm
  Zastava M70 | M70B1, M70AB1, M70AB2 | YU | 7.62x39mm
  Type 56 | Type 56-1, Type 56-2 | CN | 7.62x39mm
  Tabuk | - | IQ | 7.62x39mm
  AK-74M | - | SU | 5.45x39mm
  M16 | M16A2, M16A4 | US | 5.56x45mm
  M4 | M4A1 | US | 5.56x45mm
  CQ | - | CN | 5.56x45mm
  Bushmaster XM15-E2S | - | US | 5.56x45mm
  Heckler & Koch G3 | - | DE | 7.62x51mm
  Heckler & Koch G36 | - | DE | 5.56x45mm
  FN Herstal FAL | - | BE | 7.62x51mm
  vz. 52 | - | CZ | 7.62x45mm
  SKS | - | SU | 7.62x39mm
sniper or bolt-action rifle:
  Dragunov SVD | - | SU | 7.62x54mmR
  PSL | - | RO | 7.62x54mmR
  Mk 14 EBR | - | US | 7.62x51mm
  Steyr SSG 69 | - | AT | 7.62x51mm
  Elmech EM-992 | - | HR | 7.62x51mm
  Walther KKJ | - | DE | .22 LR
  Enfield Pattern 1914 | - | GB | .303 British
anti-materiel rifle:
  Sayyad-2 AM50 | - | IR | 12.7x99mm
  M99 | - | CN | 12.7x108mm
machine gun:
  PK | PKM | SU | 7.62x54mmR
  Type 80 | - | CN | 7.62x54mmR
  RPK | - | SU | 7.62x39mm
  RPK-74 | - | SU | 5.45x39mm
  RP-46 | - | SU | 7.62x54mmR
  KGK | - | HU | 7.62x54mmR
  M249 | FN Herstal Minimi | BE | 5.56x45mm
  M240 | FN Herstal MAG | BE | 7.62x51mm
  MG3 | - | DE | 7.62x51mm
  Browning M1919A6 | - | US | .30-06
handgun:
  FN Herstal Browning Hi-Power | - | BE | 9x19mm
  Glock 19 | - | AT | 9x19mm
  HS Produkt HS2000 | - | HR | 9x19mm
  Walther P99 | - | DE | 9x19mm
  Beretta M9 | 92FS | IT | 9x19mm
shotgun:
  Shotgun | break-action, pump-action, semi-automatic | - | 12 gauge
heavy machine gun:
  DShK | DShKM | SU | 12.7x108mm
  M2HB | AN/M2 | US | 12.7x99mm
  KPV | KPVT | SU | 14.5x114mm
automatic cannon:
  2A14 | - | SU | 23x152mmB
  S-60 | - | SU | 57x348mmSR
  M1939 (61-K) | - | SU | 37x252mmSR
  Type 65 | - | CN | 37x252mmSR
grenade launcher:
  GP-25 | - | SU | 40mm caseless
  GP-30M | - | RU | 40mm caseless
  UBGL-M7 | - | BG | 40mm caseless
  RBG-6 | - | HR | 40x46mm
unguided anti-tank weapon:
  RPG-7 | - | SU | 40mm
  RB-M57 | - | YU | 44mm
  RPG-75 | - | CZ | 68mm
  SPG-9 | - | SU | 73mm
  M60 recoilless | - | YU | 82mm
  M79 Osa | - | YU | 90mm
  B-10 | - | SU | 82mm
anti-tank guided weapon:
  TOW-2A | - | US | 152mm
  9K135 Kornet | - | RU | 152mm
  9K115-2 Metis-M | - | RU | 130mm
  9M17M Skorpion-M | - | SU | 142mm
  9M14 Malyutka | 9M14M | SU | 125mm
  9K111 Fagot | - | SU | 120mm
  HJ-8 | - | CN | 120mm
  MILAN | - | FR | 115mm
  HOT | - | FR | 150mm
mortar:
  Al-Jaleel | - | IQ | 60mm
  82-PM-41 | - | SU | 82mm
  82-BM-37 | - | SU | 82mm
man-portable air defence system:
  9K32M Strela-2M | SA-7b | SU | 72mm
  FN-6 | - | CN | 72mm
  FIM-92 Stinger | - | US | 70mm
artillery gun:
  M198 | - | US | 155mm
  M-46 | - | SU | 130mm
  Type 59-1 | - | CN | 130mm
  D-30 | - | SU | 122mm
  M-30 | - | SU | 122mm
rocket artillery:
  Type 63 | - | CN | 107mm
  BM-21 | BM-21M | SU | 122mm
  Falaq-1 | - | IR | 240mm
main battle tank:
  T-54/T-55 | - | SU | 100mm
  T-62 | - | SU | 115mm
  Type 69-II | - | CN | 100mm
  M1A1M Abrams | - | US | 120mm
light armoured fighting vehicle:
  BMP-1 | - | SU | 73mm
  MT-LB | - | SU | -
  M113A2 | - | US | -
  M1117 | - | US | -
  HMMWV | up-armoured | US | -
"""


def observed() -> Iterator[tuple[str, str, list[str], str | None, str | None]]:
    """Each observed arm: subcategory, name, variants, country, calibre."""
    subcategory = ""
    for line in OBSERVED.strip().splitlines():
        if line.endswith(":"):
            subcategory = line[:-1]
            continue
        name, variants, country, calibre = (part.strip() for part in line.split("|"))
        parts = [] if variants == "-" else variants.split(", ")
        yield (
            subcategory,
            name,
            parts,
            None if country == "-" else country,
            None if calibre == "-" else calibre,
        )


def model(name: str) -> CatalogueModel:
    """The one model of a name."""
    [found] = [model for model in catalogue_models() if model.name == name]
    return found


@pytest.mark.parametrize("arm", list(observed()), ids=lambda arm: arm[1])
def test_every_observed_arm_is_in_the_catalogue(
    arm: tuple[str, str, list[str], str | None, str | None],
) -> None:
    """Each arm is there under its observed name, with country and calibre; each variant leads to a model."""
    subcategory, name, variants, country, calibre = arm
    row = model(name)
    assert (row.subcategory, row.country, row.calibre) == (subcategory, country, calibre)
    names = {name_key(model.name) for model in catalogue_models()}
    names |= {name_key(variant) for model in catalogue_models() for variant in model.variants}
    names |= {name_key(alias.name) for alias in catalogue_aliases()}
    for variant in variants:
        assert {name_key(variant), name_key(f"{name}, {variant}")} & names, variant


def test_maker_and_name_are_unique() -> None:
    """A model is named once, however its name is spelled, or a list could mean either."""
    keys = [name_key(f"{model.maker} / {model.name}") for model in catalogue_models()]
    assert len(keys) == len(set(keys)) > 100


# The security risk category of each kind of arm (DoDM 5100.76, AR 190-11 appendix B).
BY_FIRE_MODE = {
    "automatic": "II",
    "semi-automatic": "IV",
    "manual": "IV",
    "single": "IV",
}
RIFLES_AND_GUNS = (
    "self-loading rifle",
    "sniper or bolt-action rifle",
    "anti-materiel rifle",
    "machine gun",
    "handgun",
    "shotgun",
)


@pytest.mark.parametrize("row", catalogue_models(), ids=lambda row: row.name)
def test_the_rules_give_the_security_risk_category(row: CatalogueModel) -> None:
    """Fire mode decides II against IV; a launcher alone is III, with its round I; carriage guns have none."""
    if row.subcategory in RIFLES_AND_GUNS:
        expected = BY_FIRE_MODE[row.fire_mode]
    elif row.subcategory == "heavy machine gun":
        expected = "II" if row.calibre == "12.7x108mm" or row.calibre == "12.7x99mm" else None
    elif row.subcategory in ("grenade launcher", "mortar"):
        expected = "III"
    elif row.subcategory == "anti-tank guided weapon":
        expected = "II"
    elif row.subcategory == "man-portable air defence system":
        expected = "III" if row.name.endswith("gripstock") else "I"
    elif row.subcategory == "unguided anti-tank weapon":
        expected = {"RPG-75": "I", "RPG-7": "III", "RB-M57": "III", "M79 Osa": "III"}.get(row.name, "IV")
    else:
        expected = None
    assert row.security_risk_category == expected


@pytest.mark.parametrize("row", catalogue_models(), ids=lambda row: row.name)
def test_the_rules_give_the_treaty_row(row: CatalogueModel) -> None:
    """Fire mode decides assault rifle against rifle; calibre decides mortar row against large artillery."""
    rifle = "small arms 4" if row.fire_mode == "automatic" else "small arms 2"
    millimetres = (row.calibre or "").removesuffix("mm")
    expected = {
        "self-loading rifle": rifle,
        "sniper or bolt-action rifle": rifle,
        "anti-materiel rifle": "small arms 2",
        "machine gun": "small arms 5",
        "handgun": "small arms 1",
        "shotgun": "small arms 6",
        "heavy machine gun": "light weapons 1",
        "grenade launcher": "light weapons 2",
        "automatic cannon": "light weapons 7",
        "unguided anti-tank weapon": "light weapons 4" if row.security_risk_category == "IV" else "light weapons 5",
        "anti-tank guided weapon": "light weapons 7" if row.name in ("HOT", "9M17M Skorpion-M") else "light weapons 5",
        "mortar": "light weapons 6" if millimetres.isdigit() and int(millimetres) < 75 else "category III",
        "man-portable air defence system": "category VII(b)",
        "artillery gun": "category III",
        "rocket artillery": "category III",
        "main battle tank": "category I",
        "light armoured fighting vehicle": "category II",
    }.get(row.subcategory)
    assert row.treaty_row == expected
    assert expected is None or expected in TREATY_ROWS


@pytest.mark.parametrize("row", catalogue_models(), ids=lambda row: row.name)
def test_what_is_from_memory_says_so(row: CatalogueModel) -> None:
    """A fact nobody looked up (maker, fire mode, stock number, treaty row) is listed as unverified."""
    facts = {
        "maker": row.maker != "various",
        "fire_mode": row.fire_mode != "not applicable",
        "security_risk_category": row.security_risk_category is not None and row.name not in ("M16A2", "M249"),
        "stock_number": row.stock_number is not None,
        "treaty_row": row.treaty_row is not None,
        "enhanced_monitoring": row.enhanced_monitoring,
    }
    assert set(row.unverified) == {fact for fact, there in facts.items() if there}
    assert row.verified == (not row.unverified)
    assert row.value_source == "planning figure"
    assert row.value > 0


def test_what_is_tracked_how() -> None:
    """Weapons by serial, ammunition by lot, equipment by quantity."""
    kinds = {model.category: model.tracked_by for model in catalogue_models()}
    assert kinds == {
        "small arms": "serial",
        "light weapons": "serial",
        "artillery": "serial",
        "armoured vehicles": "serial",
        "equipment": "quantity",
        "ammunition": "lot",
    }
    for model in catalogue_models():
        assert model.tracked_by == kinds[model.category]


def test_enhanced_monitoring_is_for_listed_us_missiles() -> None:
    """Every serial within 90 days of arrival, then yearly: what the United States lists, nothing else."""
    listed = {model.name for model in catalogue_models() if model.enhanced_monitoring}
    assert listed == {"FIM-92 Stinger", "FIM-92 Stinger gripstock", "TOW-2A"}


def test_stock_numbers_belong_to_one_model() -> None:
    """A stock number read in a list leads to one model."""
    numbers = [model.stock_number for model in catalogue_models() if model.stock_number]
    assert len(numbers) == len(set(numbers)) >= 10


def test_an_alias_means_one_model() -> None:
    """No alias is there twice, and none is another model's own name."""
    keys = [name_key(alias.name) for alias in catalogue_aliases()]
    assert len(keys) == len(set(keys)) > 150
    own = {name_key(model.name): model.name for model in catalogue_models()}
    own |= {name_key(f"{model.maker} {model.name}"): model.name for model in catalogue_models()}
    for alias in catalogue_aliases():
        assert own.get(name_key(alias.name), alias.model) == alias.model
        assert alias.source == "catalogue"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AKM rifle", "AKM"),
        ("Kalashnikov AKM", "AKM"),
        ("AK-47, Norinco", "Type 56"),
        ("M2 Browning", "M2HB"),
        ("DShKM", "DShK"),
        ("body armor", "Body armour"),
    ],
)
def test_common_names_lead_to_their_model(name: str, meant: str) -> None:
    """What donors write leads to what is meant."""
    [found] = [alias.model for alias in catalogue_aliases() if name_key(alias.name) == name_key(name)]
    assert found == meant


@pytest.mark.parametrize("name", ["AK-47", "AK 47", "AK", "Kalashnikov", "pistol", "9 mm pistol", "AT-4", "M60"])
def test_ambiguous_names_are_left_to_a_registrar(name: str) -> None:
    """AK-47 may be any of five models here: the catalogue doesn't guess."""
    assert name_key(name) not in {name_key(alias.name) for alias in catalogue_aliases()}


HEADER = (
    "maker,name,country,calibre,category,subcategory,variants,fire_mode,security_risk_category,stock_number,"
    "value,value_source,treaty_row,enhanced_monitoring,tracked_by,unverified"
)
GOOD = (
    "Izhmash,AKM,SU,7.62x39mm,small arms,rifle,AKMS,automatic,II,1005-00-073-9421,"
    "450,guess,small arms 4,false,serial,maker"
)


@pytest.mark.parametrize(
    ("good", "bad", "field"),
    [
        ("Izhmash", "", "maker"),
        ("AKM,", ",", "name"),
        ("SU", "Soviet Union", "country"),
        ("small arms,", "guns,", "category"),
        ("automatic", "burst", "fire_mode"),
        ("II,", "V,", "security_risk_category"),
        ("1005-00-073-9421", "1005000739421", "stock_number"),
        ("450", "cheap", "value"),
        ("450", "-1", "value"),
        ("small arms 4", "small arms 9", "treaty_row"),
        ("false", "no", "enhanced_monitoring"),
        ("serial", "weight", "tracked_by"),
        (",maker", ",colour", "unverified"),
    ],
)
def test_a_bad_row_is_named_and_not_left_out(good: str, bad: str, field: str) -> None:
    """Whoever edits the list is told row, field and value."""
    assert read_models([HEADER, GOOD])[0].name == "AKM"
    with pytest.raises(Invalid) as refused:
        read_models([HEADER, GOOD.replace(good, bad, 1)])
    [fault] = refused.value.faults
    assert (fault.row, fault.field) == (2, field)


def test_a_repeated_model_and_an_alias_of_nothing_are_refused() -> None:
    """A model twice, an alias without a name and an alias of an unknown model are mistakes of the lists."""
    with pytest.raises(Invalid) as refused:
        read_models([HEADER, GOOD, GOOD])
    assert [(fault.row, fault.field) for fault in refused.value.faults] == [(3, "name")]
    aliases = [
        "source,name,maker,model",
        "catalogue,Kalash,Izhmash,AKM",
        "catalogue, ,Izhmash,AKM",
        "catalogue,X,Izhmash,AK",
    ]
    with pytest.raises(Invalid) as refused:
        read_aliases(aliases, read_models([HEADER, GOOD]))
    assert [(fault.row, fault.field) for fault in refused.value.faults] == [(3, "name"), (4, "model")]


def test_the_published_figures_ship_with_the_project() -> None:
    """The audit figures that reports must reproduce are there, and add up where the source says so."""
    report = findings()["gao-07-711"]
    for what, missing in report["unaccounted"].items():
        assert report["claimed_issued"][what] - report["property_book"][what] == missing
    assert set(findings()) >= {"gao-07-711", "sigir-06-033", "sigar-14-84", "dodig-2024-043"}

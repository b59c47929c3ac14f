"""Who and what there is in the demonstration: donors, depots, staff, units, deliveries, as tables. Nothing in it is real."""

from __future__ import annotations

from datetime import timedelta

ORGANISATION = ("DEMONSTRATION", "Ministry of a country that does not exist")
TIME_ZONE = "Asia/Baghdad"
YEARS_OF_PAPERS = timedelta(days=730)

DONORS = (("AURELIA", "Republic of Aurelia (demonstration)"), ("BOREAS", "Kingdom of Boreas (demonstration)"))

# code, name, stores
DEPOTS = (
    ("NORTH", "Northern depot (demonstration)", ["Main store", "Quarantine"]),
    ("RIVER", "River depot (demonstration)", ["Main store"]),
    ("COAST", "Coast depot (demonstration)", ["Main store"]),
)

# service number, name, rank, depot, role, book
STAFF = (
    ("N-1", "Наталія Коваленко", "Colonel", "NORTH", "commander", "CO"),
    ("N-2", "سعد الجبوري", "Sergeant", "NORTH", "clerk", "B"),
    ("N-3", "Ioana Marin", "Corporal", "NORTH", "clerk", "C"),
    ("N-4", "Олег Бондар", "Staff Sergeant", "NORTH", "armourer", "A"),
    ("R-1", "هدى العزاوي", "Lieutenant Colonel", "RIVER", "commander", "CO"),
    ("R-2", "Peter Lindqvist", "Sergeant", "RIVER", "clerk", "B"),
    ("C-1", "Мария Иванова", "Major", "COAST", "commander", "CO"),
    ("C-2", "ياسين الكعبي", "Sergeant", "COAST", "clerk", "B"),
)

SECOND_CLERK = "N-3"

# code, name, depot, parent
UNITS = (
    ("1BN", "1st Battalion", "NORTH", None),
    ("1COY", "1st Company", "NORTH", "1BN"),
    ("2COY", "2nd Company", "RIVER", "1BN"),
)

FIRST_NAMES = (
    "أحمد", "علي", "حسين", "مصطفى", "عمر", "يوسف", "كريم", "طارق", "Andrii", "Олександр", "Сергій", "Дмитро",
    "Богдан", "Тарас", "Marek", "Jon", "Elif", "Samir", "Viktor", "Luca",
)  # fmt: skip
FAMILY_NAMES = (
    "الحسن", "العبيدي", "التميمي", "الدليمي", "الشمري", "Шевченко", "Мельник", "Ткаченко", "Савченко",
    "Petrov", "Quist", "Rahim", "Novak", "Aydin", "Berg",
)  # fmt: skip
SOLDIERS_OF_A_COMPANY = 60

# days ago, depot, donor, model, how many, how its serial numbers look
DELIVERIES = (
    (725, "NORTH", "AURELIA", "AKM", 500, "КТ {:06d}"),
    (700, "RIVER", "AURELIA", "M16A2", 500, "{:07d}"),
    (660, "COAST", "BOREAS", "Type 56", 400, "386-{:06d}"),
    (600, "NORTH", "BOREAS", "Zastava M70", 300, "M-{:05d}"),
    (540, "RIVER", None, "Beretta M9", 250, "{:06d}Z"),
    (500, "NORTH", None, "PK", 40, "ПК{:05d}"),
    (430, "COAST", "AURELIA", "Glock 19", 200, "BX{:04d}"),
    (380, "COAST", None, "Tabuk", 100, "{:07d}"),
    (365, "NORTH", None, "RPG-7", 30, "R7-{:05d}"),
)
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
IN_ARABIC_DIGITS = frozenset({"Tabuk"})

# days ago, depot, model, how many: counted, without serial numbers
EQUIPMENT = (
    (724, "NORTH", "Helmet", 900),
    (723, "NORTH", "Magazine, AK pattern, 30 rounds", 4_000),
    (722, "NORTH", "Body armour, medium", 500),
    (721, "NORTH", "Sling, rifle", 700),
    (720, "NORTH", "Magazine, M16 pattern, 30 rounds", 200),
    (699, "RIVER", "Helmet", 600),
    (698, "RIVER", "Magazine, M16 pattern, 30 rounds", 3_000),
    (697, "RIVER", "Sling, rifle", 600),
)

# rifle: what goes out and comes back with it
KITS: dict[str, list[dict[str, str | int]]] = {
    "AKM": [{"model": "Magazine, AK pattern, 30 rounds", "quantity": 4}, {"model": "Sling, rifle"}],
    "M16A2": [{"model": "Magazine, M16 pattern, 30 rounds", "quantity": 7}, {"model": "Sling, rifle"}],
    "M4": [{"model": "Magazine, M16 pattern, 30 rounds", "quantity": 7}, {"model": "Sling, rifle"}],
}

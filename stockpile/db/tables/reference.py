"""Reference tables: who, where and what. Small, changed by registrars, copied to every node when sharded."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from stockpile.db.tables.base import binary, key, metadata, moment
from stockpile.movements import AccountClass

REFERENCE = {"group": "reference"}


def one_of(column: str, values: tuple[str, ...]) -> str:
    """SQL that holds a column to a list of words."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def class_and_site(account_class: str, site: str) -> str:
    """SQL for the one number that stands for a class of account at a site (SQL expressions, both)."""
    nowhere = "'00000000-0000-0000-0000-000000000000'::uuid"
    return f"hashtextextended({account_class}, uuid_hash_extended(coalesce({site}, {nowhere}), 0))"


party = Table(
    "party",
    metadata,
    key("party_id", primary_key=True),
    Column("kind", Text, nullable=False),
    Column("code", Text, comment="a person's service number; a unit's, donor's or organisation's short code"),
    Column("name", Text),
    Column("rank", Text),
    Column("name_version", Integer, nullable=False, server_default="1"),
    key("site_id", comment="where a person serves now: who may see the name"),
    binary("secret", comment="salts this party's digest in every document; erased with the name"),
    moment("erased_at"),
    UniqueConstraint("kind", "code", name="party_code"),
    CheckConstraint(one_of("kind", ("person", "unit", "donor", "organisation")), name="party_kind"),
    CheckConstraint("octet_length(secret) = 32", name="party_secret_length"),
    CheckConstraint("(erased_at IS NULL) = (name IS NOT NULL AND secret IS NOT NULL)", name="party_erased"),
    info=REFERENCE,
    comment="A person or organisation.",
)

party_name = Table(
    "party_name",
    metadata,
    key("party_id", ForeignKey("stockpile.party.party_id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("code", Text),
    Column("name", Text),
    Column("rank", Text),
    moment("recorded_at", nullable=False),
    info=REFERENCE,
    comment="Every name a party has had; a document's digest names the version it used.",
)

site = Table(
    "site",
    metadata,
    key("site_id", primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    key("custodian_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("declared_open_at", comment="from then on nothing more enters by an opening list"),
    CheckConstraint("code ~ '^[A-Z0-9-]{2,12}$'", name="site_code_form"),
    info=REFERENCE,
    comment="A depot or arms room. Its time zone decides the year in a document's number.",
)

assignment = Table(
    "assignment",
    metadata,
    key("assignment_id", primary_key=True),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    key("unit_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, comment="the last day, inclusive"),
    Column("ended_because", Text, comment="why the person left all units, where somebody said so"),
    UniqueConstraint("party_id", "unit_id", "since"),
    CheckConstraint("until >= since", name="assignment_dates"),
    CheckConstraint("party_id <> unit_id", name="assignment_not_itself"),
    CheckConstraint(
        "ended_because IN ('died', 'missing', 'captured', 'deserted', 'discharged')", name="assignment_because"
    ),
    CheckConstraint("ended_because IS NULL OR until IS NOT NULL", name="assignment_because_ended"),
    Index("assignment_of_unit", "unit_id"),
    info=REFERENCE,
    comment="Dated membership: who, or which sub-unit, belonged to which unit.",
)

stationing = Table(
    "stationing",
    metadata,
    key("stationing_id", primary_key=True),
    key("unit_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date),
    UniqueConstraint("unit_id", "site_id", "since"),
    CheckConstraint("until >= since", name="stationing_dates"),
    info=REFERENCE,
    comment="Which site serves a unit, dated.",
)

signature_card = Table(
    "signature_card",
    metadata,
    key("signature_card_id", primary_key=True),
    key("unit_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    key("issued_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("withdrawn_at"),
    CheckConstraint("until >= since", name="signature_card_dates"),
    Index("signature_card_of_unit", "unit_id", "party_id"),
    info=REFERENCE,
    comment="Who may draw weapons for a unit, until when (DA 1687).",
)

model = Table(
    "model",
    metadata,
    key("model_id", primary_key=True),
    Column("maker", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("country", Text),
    Column("calibre", Text),
    Column("category", Text, nullable=False),
    Column("subcategory", Text),
    Column("variants", Text),
    Column("fire_mode", Text),
    Column("security_risk_category", Text),
    Column("stock_number", Text),
    Column("value", Numeric(14, 2)),
    Column("value_source", Text),
    Column("treaty_row", Text),
    Column("enhanced_monitoring", Boolean, nullable=False, server_default="false"),
    Column("tracked_by", Text, nullable=False),
    UniqueConstraint("maker", "name", name="model_maker_name"),
    UniqueConstraint("model_id", "tracked_by", name="model_tracked_by_key"),
    CheckConstraint(one_of("security_risk_category", ("I", "II", "III", "IV")), name="model_security_risk_category"),
    CheckConstraint(r"stock_number ~ '^\d{4}-\d{2}-\d{3}-\d{4}$'", name="model_stock_number"),
    CheckConstraint(one_of("tracked_by", ("serial", "lot", "quantity")), name="model_tracked_by"),
    info=REFERENCE,
    comment="Make and model: what an item is a piece of.",
)

alias = Table(
    "alias",
    metadata,
    key("alias_id", primary_key=True),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False, comment="as first read"),
    Column("name_key", Text, nullable=False, comment="case and spaces folded"),
    key("model_id", ForeignKey("stockpile.model.model_id"), comment="none: seen in a list, not yet mapped"),
    key("approved_by", ForeignKey("stockpile.party.party_id")),
    moment("approved_at"),
    moment("first_seen_at", nullable=False),
    UniqueConstraint("source", "name_key", name="alias_of_source"),
    CheckConstraint("(model_id IS NULL) = (approved_at IS NULL)", name="alias_approved"),
    info=REFERENCE,
    comment="How a donor or an old book calls a model: mapped once by a registrar, visible.",
)

account = Table(
    "account",
    metadata,
    key("account_id", primary_key=True),
    Column("class", Text, nullable=False),
    Column("name", Text, nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id")),
    key("party_id", ForeignKey("stockpile.party.party_id"), comment="the unit or person it is"),
    key(
        "custodian_id",
        ForeignKey("stockpile.party.party_id"),
        comment="who answers for it, if not the site's custodian",
    ),
    key("unit_id", ForeignKey("stockpile.party.party_id"), comment="the accountable unit of a store"),
    Column(
        "class_and_site",
        BigInteger,
        Computed(
            class_and_site("class", "site_id"),
            persisted=True,
        ),
        comment="one number for both: a country's entries are added up by it",
    ),
    CheckConstraint(one_of("class", tuple(AccountClass)), name="account_class"),
    CheckConstraint("(site_id IS NULL) = (class = 'outside')", name="account_has_site"),
    CheckConstraint("(party_id IS NOT NULL) = (class IN ('unit', 'person'))", name="account_has_party"),
    Index("account_one_outside", "class", unique=True, postgresql_where="class = 'outside'"),
    Index("account_of_party", "party_id", "site_id", unique=True, postgresql_where="party_id IS NOT NULL"),
    Index("account_name", "site_id", "class", "name", unique=True, postgresql_where="party_id IS NULL"),
    info=REFERENCE,
    comment="Where items are. Supply and transit stand under the site they are bound for; `outside` has no site.",
)

consignment = Table(
    "consignment",
    metadata,
    key("consignment_id", primary_key=True),
    key("donor_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("reference", Text, nullable=False),
    key("account_id", ForeignKey("stockpile.account.account_id"), nullable=False, unique=True),
    Column("expected_on", Date),
    moment("declared_at", nullable=False),
    Column("end_user_certificate", Text, comment="binds it: what leaves the country takes the donor's consent"),
    UniqueConstraint("donor_id", "reference", name="consignment_reference"),
    info=REFERENCE,
    comment="One delivery by a donor; its supply account holds what was declared and has not arrived.",
)

book = Table(
    "book",
    metadata,
    key("book_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("next_number", Integer, nullable=False, server_default="1"),
    Column(
        "counter_code",
        Text,
        comment="the code under which it is asked for its next number; none: a restore closed it",
    ),
    UniqueConstraint("site_id", "code", "year", name="book_of_year"),
    UniqueConstraint("site_id", "counter_code", "year", name="book_in_use"),
    UniqueConstraint("book_id", "site_id", name="book_site"),
    CheckConstraint("code ~ '^[A-Z0-9-]{1,12}([.][A-Z0-9]{1,12})?$'", name="book_code_form"),
    CheckConstraint("counter_code = split_part(code, '.', 1)", name="book_counter_code"),
    CheckConstraint("year BETWEEN 1900 AND 2999", name="book_year"),
    CheckConstraint("next_number >= 1", name="book_next_number"),
    CheckConstraint(one_of("kind", ("counter", "device", "paper", "importer", "exceptions")), name="book_kind"),
    info=REFERENCE,
    comment="A numbered series with one holder, one row a local year: counters that share a series wait for one another.",
)

restoration = Table(
    "restoration",
    metadata,
    moment("restored_at", primary_key=True),
    Column(
        "series",
        Text,
        nullable=False,
        unique=True,
        comment="what stands behind the codes of books from then on: a date-time group",
    ),
    Column(
        "last_year",
        Integer,
        nullable=False,
        comment="books of later years begin as always: none of their numbers can be lost",
    ),
    moment("backup_at", nullable=False),
    moment("newest_document", comment="of those that the backup held; what was recorded after it may be lost"),
    CheckConstraint("series ~ '^[A-Z0-9]{1,12}$'", name="restoration_series_form"),
    info=REFERENCE,
    comment="When the books were restored from a backup, and as of which moment.",
)

column_mapping = Table(
    "column_mapping",
    metadata,
    Column("source", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("mapping", JSONB, nullable=False),
    key("saved_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("saved_at", nullable=False),
    info=REFERENCE,
    comment="How a source's columns map to our fields: said once, remembered.",
)

"""End-use monitoring: which models are monitored how closely, and what was found of each line that was read at a visit or reported by a
holder.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
)

from stockpile.db.tables.base import key, metadata, moment
from stockpile.db.tables.reference import REFERENCE, one_of

FINDINGS = ("matched", "missing", "unexpected", "unclear", "moved meanwhile", "read again", "differs")
SAID = ("held", "expended", "lost")
SITE, PARTY = "stockpile.site.site_id", "stockpile.party.party_id"

visit_line = Table(
    "visit_line",
    metadata,
    key("donor_id", primary_key=True),
    key("statement_id", primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    key("site_id", ForeignKey(SITE), nullable=False),
    Column("read", Text, comment="as read; none: the ledger had it there and nobody read it"),
    key("item_id"),
    Column("finding", Text, nullable=False),
    Column(
        "stood",
        Text,
        comment="the class of the account that the ledger had it on; none: not in the books, or not of this donor",
    ),
    key("stood_site", ForeignKey(SITE)),
    Column("said", Text, comment="what a holder reported of it"),
    Column("said_on", Date),
    moment("read_at"),
    Column("condition", Text),
    ForeignKeyConstraint(
        ["donor_id", "statement_id"], ["stockpile.donor_statement.donor_id", "stockpile.donor_statement.statement_id"]
    ),
    CheckConstraint("line >= 1", name="visit_line_number"),
    CheckConstraint(one_of("finding", FINDINGS), name="visit_line_finding"),
    CheckConstraint(one_of("said", SAID), name="visit_line_said"),
    CheckConstraint(one_of("condition", ("serviceable", "unserviceable", "unknown")), name="visit_line_condition"),
    CheckConstraint("read IS NOT NULL OR item_id IS NOT NULL", name="visit_line_names"),
    Index("visit_line_of_item", "item_id"),
    info=REFERENCE,
    comment="What was read at a visit, or reported by a holder, a weapon a line, against the ledger at its moment. No custody.",
)

monitoring_plan = Table(
    "monitoring_plan",
    metadata,
    key("plan_id", primary_key=True),
    key(
        "donor_id", ForeignKey(PARTY), comment="only this donor's weapons, before the general rows; none: every donor's"
    ),
    Column("code", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("flagged", Boolean, nullable=False, comment="only models that the catalogue marks for enhanced monitoring"),
    Column("category", Text),
    Column("security_risk_category", Text),
    Column("initial_days", Integer, comment="from the arrival to the first inventory by serial number"),
    Column("yearly_days", Integer, comment="from one inventory, or routine visit, to the next"),
    Column("source", Text, nullable=False),
    Column("unverified", Boolean, nullable=False, comment="from memory, until somebody holds the original"),
    Column("binds", Boolean, nullable=False, comment="whether what is delinquent is judged by it"),
    key("changed_by", ForeignKey(PARTY)),
    moment("changed_at"),
    CheckConstraint("code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="monitoring_plan_code"),
    CheckConstraint(one_of("level", ("routine", "enhanced")), name="monitoring_plan_level"),
    CheckConstraint(one_of("security_risk_category", ("I", "II", "III", "IV")), name="monitoring_plan_risk"),
    CheckConstraint("initial_days >= 1 AND yearly_days >= 1", name="monitoring_plan_days"),
    CheckConstraint(
        "NOT binds OR (level = 'enhanced' AND initial_days IS NOT NULL AND yearly_days IS NOT NULL)",
        name="monitoring_plan_binds",
    ),
    Index("monitoring_plan_once", "donor_id", "code", unique=True, postgresql_nulls_not_distinct=True),
    info=REFERENCE,
    comment="Which models are monitored how closely, and within how many days; the general rows are kept by registrars, a donor's "
    "by itself.",
)

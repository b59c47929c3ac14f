"""Alerts: what was found in the books that somebody should hear of at once, who wants to be told, and what was sent. Append-only but
for a subscription, which ends.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from stockpile.db.tables.base import binary, key, metadata, moment
from stockpile.db.tables.reference import one_of

DESK: dict[str, Any] = {"info": {"group": "desk"}}

KINDS = (
    "late", "short", "missing or lost", "missing at count", "count overdue", "inspection delinquent", "log alarm",
    "beyond the certificate", "diversion alarm", "vetting lapsed",
)  # fmt: skip

alert_progress = Table(
    "alert_progress",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("written_in", BigInteger, nullable=False),
    CheckConstraint("one", name="alert_progress_one"),
    **DESK,
    comment="Up to which transaction the books were looked through for alerts.",
)

alert = Table(
    "alert",
    metadata,
    key("alert_id", primary_key=True),
    key("donor_id", ForeignKey("stockpile.party.party_id"), comment="who reads it; none: the host"),
    Column("number", Integer, nullable=False, comment="the reader's own: 1, 2, ..."),
    Column("kind", Text, nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id"), comment="the site whose commander reads it; none: of no site"),
    Column("subject", Text, nullable=False, comment="what it is about, so that it is told once"),
    Column("about", JSONB, nullable=False, comment="what its sentence says"),
    moment("happened_at", nullable=False),
    moment("found_at", nullable=False),
    CheckConstraint("number >= 1", name="alert_number"),
    CheckConstraint(one_of("kind", KINDS), name="alert_kind"),
    Index("alert_numbered", "donor_id", "number", unique=True, postgresql_nulls_not_distinct=True),
    Index("alert_once", "kind", "subject", "donor_id", unique=True, postgresql_nulls_not_distinct=True),
    Index("alert_found", "found_at", "alert_id"),
    **DESK,
    comment="Something that somebody should hear of at once, for one reader: the host, or a donor.",
)

alert_subscription = Table(
    "alert_subscription",
    metadata,
    key("subscription_id", primary_key=True),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("role", Text, nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id")),
    key("donor_id", ForeignKey("stockpile.party.party_id")),
    key("user_id", ForeignKey("stockpile.user.user_id"), comment="it ends when this user is disabled"),
    key("token_id", ForeignKey("stockpile.token.token_id"), comment="or when this token expires or is revoked"),
    Column("kinds", ARRAY(Text), nullable=False, comment="of alerts; empty: all"),
    Column("address", Text, comment="of e-mail; gone with the person"),
    Column("language", Text, nullable=False),
    Column("full_text", Boolean, nullable=False, comment="false: kind, number and link alone"),
    binary("feed_hash", unique=True, comment="SHA-256 of the feed's secret: 256 random bits need no slow hash"),
    moment("created_at", nullable=False),
    moment("ended_at"),
    CheckConstraint(one_of("role", ("commander", "registrar", "auditor", "donor")), name="alert_subscription_role"),
    CheckConstraint("(role = 'commander') = (site_id IS NOT NULL)", name="alert_subscription_site"),
    CheckConstraint("(role = 'donor') = (donor_id IS NOT NULL)", name="alert_subscription_donor"),
    CheckConstraint("(user_id IS NULL) <> (token_id IS NULL)", name="alert_subscription_by"),
    CheckConstraint("ended_at IS NOT NULL OR (address IS NULL) <> (feed_hash IS NULL)", name="alert_subscription_way"),
    CheckConstraint(
        "address !~ '[[:space:][:cntrl:]]' AND char_length(address) <= 254", name="alert_subscription_address"
    ),
    CheckConstraint("octet_length(feed_hash) = 32", name="alert_subscription_hash"),
    Index("alert_subscription_of_party", "party_id"),
    **DESK,
    comment="Who wants to be told of alerts: by e-mail to an address, or by a web feed with a secret of its own.",
)

alert_mail = Table(
    "alert_mail",
    metadata,
    key("mail_id", primary_key=True),
    key("subscription_id", ForeignKey("stockpile.alert_subscription.subscription_id"), nullable=False),
    Column("what", Text, nullable=False),
    moment("queued_at", nullable=False),
    CheckConstraint(one_of("what", ("alerts", "test")), name="alert_mail_what"),
    Index("alert_mail_of_subscription", "subscription_id", "queued_at"),
    **DESK,
    comment="An e-mail that is to go out, or went.",
)

alert_mailed = Table(
    "alert_mailed",
    metadata,
    key("alert_id", ForeignKey("stockpile.alert.alert_id"), primary_key=True),
    binary("address_digest", primary_key=True, comment="SHA-256 of the address"),
    key("mail_id", ForeignKey("stockpile.alert_mail.mail_id"), nullable=False),
    CheckConstraint("octet_length(address_digest) = 32", name="alert_mailed_digest"),
    Index("alert_mailed_in", "mail_id"),
    **DESK,
    comment="Which alerts an e-mail tells: each goes to an address once.",
)

MAIL_STEPS = ("tried", "put off", "delivered", "refused", "unclear", "dropped")

alert_mail_step = Table(
    "alert_mail_step",
    metadata,
    key("mail_id", ForeignKey("stockpile.alert_mail.mail_id"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("what", Text, nullable=False),
    moment("happened_at", nullable=False),
    Column("words", Text, comment="what was in the way; ours, never the server's"),
    CheckConstraint("step >= 1", name="alert_mail_step_number"),
    CheckConstraint(one_of("what", MAIL_STEPS), name="alert_mail_step_what"),
    **DESK,
    comment="What became of an e-mail, step by step.",
)

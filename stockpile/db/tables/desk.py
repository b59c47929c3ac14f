"""The desk: who may speak to the service and who signs in where, devices, and long jobs. Small tables on one node, outside
the ledger.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Interval,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from stockpile.db.tables.base import binary, key, metadata, moment
from stockpile.db.tables.reference import one_of

ROLES = ("clerk", "armourer", "commander", "registrar", "auditor", "donor", "guest")

token = Table(
    "token",
    metadata,
    key("token_id", primary_key=True),
    binary(
        "secret_hash", nullable=False, unique=True, comment="SHA-256 of the token: 256 random bits need no slow hash"
    ),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("role", Text, nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id")),
    key("donor_id", ForeignKey("stockpile.party.party_id")),
    Column("book_code", Text, comment="the counter it posts from"),
    Column("label", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("expires_at", nullable=False),
    moment("revoked_at"),
    Column("once", Boolean, nullable=False, server_default="false", comment="for one request"),
    key("guest_id", ForeignKey("stockpile.guest.guest_id"), comment="of a guest: what is read, from when until when"),
    CheckConstraint(one_of("role", ROLES), name="token_role"),
    CheckConstraint("(role IN ('clerk', 'armourer', 'commander')) <= (site_id IS NOT NULL)", name="token_site"),
    CheckConstraint("(role = 'donor') = (donor_id IS NOT NULL)", name="token_donor"),
    CheckConstraint("(role = 'guest') = (guest_id IS NOT NULL)", name="token_guest"),
    CheckConstraint("octet_length(secret_hash) = 32", name="token_hash"),
    info={"group": "desk"},
    comment="A bearer token of one party in one role and scope.",
)

job = Table(
    "job",
    metadata,
    key("job_id", primary_key=True),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id")),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer),
    Column("result", JSONB),
    moment("started_at", nullable=False),
    moment("seen_at", nullable=False, comment="the last sign of life: a running job without one was interrupted"),
    moment("ended_at"),
    Column("doing", Text, comment="the step it is at, of which done and total are counted"),
    CheckConstraint(one_of("state", ("running", "done", "failed", "cancelled", "interrupted")), name="job_state"),
    info={"group": "desk"},
    comment="A long task of somebody's, with its progress.",
)

device = Table(
    "device",
    metadata,
    key("device_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("book_code", Text, nullable=False, comment="its own book, in which nobody else numbers"),
    Column("label", Text, nullable=False),
    binary("public_key", nullable=False, unique=True, comment="Ed25519; the device alone has the other half"),
    key("enrolled_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("enrolled_at", nullable=False),
    moment("revoked_at", comment="what comes from it later is kept, with a discrepancy"),
    key("revoked_by", ForeignKey("stockpile.party.party_id")),
    UniqueConstraint("site_id", "book_code", name="device_book"),
    CheckConstraint("book_code ~ '^[A-Z0-9-]{1,12}$'", name="device_book_code_form"),
    CheckConstraint("octet_length(public_key) = 32", name="device_key_length"),
    CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="device_revoked"),
    info={"group": "desk"},
    comment="A device of a site that writes vouchers offline and signs them.",
)

device_contact = Table(
    "device_contact",
    metadata,
    key("device_id", ForeignKey("stockpile.device.device_id"), primary_key=True),
    moment("contacted_at", primary_key=True),
    Column("clock_offset", Interval, nullable=False, comment="its clock less ours: positive is ahead"),
    info={"group": "desk"},
    comment="When a device was in touch, and how far its clock was off then.",
)

device_reject = Table(
    "device_reject",
    metadata,
    key("reject_id", primary_key=True),
    key("device_id", ForeignKey("stockpile.device.device_id"), nullable=False),
    key("document_id", comment="as it names itself, if that can be read"),
    binary("payload", nullable=False, comment="to the byte, as it came"),
    binary("signature", nullable=False),
    binary("digest", nullable=False, comment="SHA-256 over payload and signature: what comes again is kept once"),
    Column("reason", Text, nullable=False),
    key("carried_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("received_at", nullable=False),
    UniqueConstraint("device_id", "digest", name="device_reject_once"),
    CheckConstraint("octet_length(digest) = 32", name="device_reject_digest"),
    info={"group": "desk"},
    comment="What came from a device and could not be posted: kept, so that somebody can look at it.",
)

user = Table(
    "user",
    metadata,
    key("user_id", primary_key=True),
    Column("name", Text, nullable=False, unique=True, comment="typed to sign in; in one case"),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("role", Text, nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id")),
    key("donor_id", ForeignKey("stockpile.party.party_id")),
    Column("password_hash", Text, comment="argon2id; none: signs in by badge and PIN alone"),
    Column("must_change", Boolean, nullable=False, comment="the password is a one-time code"),
    moment("password_set_at"),
    key("created_by", ForeignKey("stockpile.party.party_id"), comment="none: who administers the machine"),
    moment("created_at", nullable=False),
    moment("disabled_at"),
    key("guest_id", ForeignKey("stockpile.guest.guest_id"), comment="of a guest: what is read, from when until when"),
    CheckConstraint(one_of("role", ROLES), name="user_role"),
    CheckConstraint("(role IN ('clerk', 'armourer', 'commander')) = (site_id IS NOT NULL)", name="user_site"),
    CheckConstraint("(role = 'donor') = (donor_id IS NOT NULL)", name="user_donor"),
    CheckConstraint("(role = 'guest') = (guest_id IS NOT NULL)", name="user_guest"),
    Index(
        "user_once", "party_id", "role", "site_id", unique=True, postgresql_nulls_not_distinct=True,
        postgresql_where=text("disabled_at IS NULL AND role <> 'donor' AND guest_id IS NULL"),
    ),
    info={"group": "desk"},
    comment="One person in one role and scope, who signs in.",
)  # fmt: skip

counter = Table(
    "counter",
    metadata,
    key("counter_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("book_code", Text, nullable=False, comment="who signs in here posts in it"),
    Column("label", Text, nullable=False),
    binary("secret_hash", nullable=False, unique=True, comment="SHA-256 of what its browser keeps"),
    key("enrolled_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("enrolled_at", nullable=False),
    moment("revoked_at"),
    key("revoked_by", ForeignKey("stockpile.party.party_id")),
    CheckConstraint("book_code ~ '^[A-Z0-9-]{1,12}$'", name="counter_book_code_form"),
    CheckConstraint("octet_length(secret_hash) = 32", name="counter_hash"),
    CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="counter_revoked"),
    Index("counter_book", "site_id", "book_code", unique=True, postgresql_where=text("revoked_at IS NULL")),
    info={"group": "desk"},
    comment="A browser at a desk of a site, enrolled by a commander or registrar.",
)

session = Table(
    "session",
    metadata,
    key("session_id", primary_key=True),
    binary(
        "secret_hash", nullable=False, unique=True, comment="SHA-256 of the cookie: 256 random bits need no slow hash"
    ),
    key("user_id", ForeignKey("stockpile.user.user_id"), nullable=False),
    key("counter_id", ForeignKey("stockpile.counter.counter_id")),
    Column("how", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("last_seen_at", nullable=False, comment="to the minute"),
    Column("idle", Interval, nullable=False, comment="unseen for so long, it is over"),
    moment("ends_at", nullable=False),
    moment("ended_at"),
    key(
        "binding_id", ForeignKey("stockpile.sign_in_binding.binding_id"), comment="by which a provider's word opened it"
    ),
    CheckConstraint(one_of("how", ("password", "badge and PIN", "single sign-on")), name="session_how"),
    CheckConstraint("(how = 'single sign-on') = (binding_id IS NOT NULL)", name="session_binding"),
    CheckConstraint("octet_length(secret_hash) = 32", name="session_hash"),
    Index("session_of_user", "user_id", "created_at"),
    Index("session_of_binding", "binding_id", postgresql_where=text("binding_id IS NOT NULL")),
    info={"group": "desk"},
    comment="A browser in which a user has signed in.",
)

badge = Table(
    "badge",
    metadata,
    key("badge_id", primary_key=True),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("text", Text, nullable=False, comment="as a scanner reads it, in capitals"),
    key("registered_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("registered_at", nullable=False),
    moment("revoked_at"),
    Index("badge_text", "text", unique=True, postgresql_where=text("revoked_at IS NULL")),
    Index("badge_of_person", "party_id"),
    info={"group": "desk"},
    comment="What stands on a person's badge, where it is not the service number.",
)

pin = Table(
    "pin",
    metadata,
    key("party_id", ForeignKey("stockpile.party.party_id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("pin_hash", Text, comment="argon2id; of the newest version alone"),
    Column("must_change", Boolean, nullable=False, comment="a one-time PIN"),
    key("set_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("set_at", nullable=False),
    info={"group": "desk"},
    comment="The PIN of a person, and who set it when; it holds at enrolled counters of the person's site alone.",
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    key("subject", primary_key=True, comment="a user or a person; of an unknown name 16 bits of its digest"),
    Column("place", Text, primary_key=True, comment="an enrolled counter, or a network address"),
    key("user_id", ForeignKey("stockpile.user.user_id")),
    key("party_id", ForeignKey("stockpile.party.party_id")),
    key("site_id", ForeignKey("stockpile.site.site_id"), comment="of the counter, else of the user"),
    key("counter_id", ForeignKey("stockpile.counter.counter_id")),
    Column("failures", Integer, nullable=False, comment="since the last time it went well"),
    Column("failures_in_all", Integer, nullable=False),
    moment("first_at", nullable=False),
    moment("last_at", nullable=False),
    moment("not_before", nullable=False, comment="until then this pair has to wait"),
    Index("sign_in_failure_last_at", "last_at"),
    info={"group": "desk"},
    comment="Who failed to sign in, from where: waiting is for that pair alone.",
)

signature = Table(
    "signature",
    metadata,
    key("signature_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    key("document_id", nullable=False, comment="signed before it is posted"),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("how", Text, nullable=False),
    binary("file_sha256", comment="of the drawn signature"),
    key("counter_id", ForeignKey("stockpile.counter.counter_id")),
    key("taken_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("signed_at", nullable=False),
    CheckConstraint(one_of("how", ("PIN", "drawn")), name="signature_how"),
    CheckConstraint("(how = 'drawn') = (file_sha256 IS NOT NULL)", name="signature_drawn"),
    CheckConstraint("(how = 'PIN') <= (counter_id IS NOT NULL)", name="signature_at_a_counter"),
    CheckConstraint("octet_length(file_sha256) = 32", name="signature_file"),
    Index("signature_of_document", "document_id"),
    info={"group": "desk"},
    comment="That a person signed for a document at a desk, by PIN or by hand.",
)

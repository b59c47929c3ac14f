"""Single sign-on: providers that vouch for people, whose account there is which user here, who waits for that, and who was sent there
and is not back yet. Part of the desk.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from stockpile.db.tables.base import binary, key, metadata, moment

sign_in_provider = Table(
    "sign_in_provider",
    metadata,
    key("provider_id", primary_key=True),
    Column("code", Text, nullable=False, unique=True, comment="in the address where one comes back from it"),
    Column("name", Text, nullable=False),
    Column("issuer", Text, nullable=False, comment="to the character, as its tokens name it"),
    Column("client_id", Text, nullable=False),
    key("donor_id", ForeignKey("stockpile.party.party_id"), comment="whose people it signs in; none: the host's"),
    Column("acr", Text, comment="how surely somebody must have signed in there: one of these"),
    Column("amr", Text, comment="by what somebody must have signed in there: all of these"),
    moment("added_at", nullable=False),
    moment("ended_at"),
    CheckConstraint("code ~ '^[a-z0-9-]{1,20}$'", name="sign_in_provider_code_form"),
    info={"group": "desk"},
    comment="An OpenID Connect provider that vouches for people of one scope.",
)

sign_in_binding = Table(
    "sign_in_binding",
    metadata,
    key("binding_id", primary_key=True),
    key("provider_id", ForeignKey("stockpile.sign_in_provider.provider_id"), nullable=False),
    Column("subject", Text, nullable=False, comment="the provider's key of the account; it never gives it to another"),
    key("user_id", ForeignKey("stockpile.user.user_id"), nullable=False),
    key("bound_by", ForeignKey("stockpile.party.party_id"), comment="none: who administers the machine"),
    moment("bound_at", nullable=False),
    key("unbound_by", ForeignKey("stockpile.party.party_id")),
    moment("unbound_at"),
    CheckConstraint("unbound_by IS NULL OR unbound_at IS NOT NULL", name="sign_in_binding_unbound"),
    Index(
        "sign_in_binding_of_user", "user_id", "provider_id", unique=True, postgresql_where=text("unbound_at IS NULL")
    ),
    Index("sign_in_binding_subject", "provider_id", "subject"),
    info={"group": "desk"},
    comment="That somebody's account at a provider is a user here, by whose decision.",
)

sign_in_request = Table(
    "sign_in_request",
    metadata,
    key("request_id", primary_key=True),
    key("provider_id", ForeignKey("stockpile.sign_in_provider.provider_id"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("called", Text, nullable=False, comment="what the provider calls them: no proof of who they are"),
    Column("code", Text, nullable=False, comment="what they read to the registrar"),
    moment("first_at", nullable=False),
    moment("last_at", nullable=False),
    UniqueConstraint("provider_id", "subject"),
    info={"group": "desk"},
    comment="Whom a provider vouched for and nobody has bound yet; forgotten after 30 days.",
)

sign_in_flow = Table(
    "sign_in_flow",
    metadata,
    binary("state_hash", primary_key=True, comment="SHA-256 of the state"),
    binary(
        "browser_hash", nullable=False, comment="SHA-256 of what that browser keeps: in no other does it end"
    ),
    key("provider_id", ForeignKey("stockpile.sign_in_provider.provider_id"), nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("back", Text, nullable=False, comment="where the provider was told to send them"),
    Column("wanted", Text, nullable=False, comment="the page that they go on to"),
    key(
        "counter_id", ForeignKey("stockpile.counter.counter_id"),
        comment="of the browser: its cookie does not come back with them",
    ),
    key("session_id", comment="that the browser had, and that is over then"),
    moment("begun_at", nullable=False),
    CheckConstraint("octet_length(state_hash) = 32 AND octet_length(browser_hash) = 32", name="sign_in_flow_hashes"),
    Index("sign_in_flow_begun_at", "begun_at"),
    info={"group": "desk"},
    comment="Who was sent to a provider and is not back yet: ten minutes, and once.",
)  # fmt: skip

"""The roles in PostgreSQL: one that owns and migrates, one that logs in and owns nothing, and those it takes.

Roles belong to the whole server, so their names carry the product's. Membership is NOINHERIT: before `SET LOCAL ROLE`
the service can read and write nothing.
"""

from __future__ import annotations

OWNER = "stockpile_owner"
SERVICE = "stockpile_service"
POSTER = "stockpile_poster"
REGISTRAR = "stockpile_registrar"
AUDITOR = "stockpile_auditor"
DONOR = "stockpile_donor"
SEQUENCER = "stockpile_sequencer"
VERIFIER = "stockpile_verifier"
GUEST = "stockpile_guest"
"""Reads named consignments of one donor alone, and writes nothing."""
TAKEN = (POSTER, REGISTRAR, AUDITOR, DONOR, SEQUENCER, VERIFIER, GUEST)


def setup_sql() -> str:
    """The SQL an administrator runs once on a server, in any database of it. Running it again changes nothing; passwords
    are no part of it.
    """
    return f"""DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[{", ".join(repr(role) for role in TAKEN)}] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') THEN
        CREATE ROLE {OWNER} LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{SERVICE}') THEN
        CREATE ROLE {SERVICE} LOGIN NOINHERIT;
    END IF;
END $$;
ALTER ROLE {SERVICE} SET search_path = stockpile;
ALTER ROLE {OWNER} SET search_path = stockpile;
GRANT {", ".join(TAKEN)} TO {SERVICE};
"""


def database_sql(name: str) -> str:
    """The statement that makes the database, owned by the owner role."""
    quoted = name.replace('"', '""')
    return f"CREATE DATABASE \"{quoted}\" OWNER {OWNER} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"

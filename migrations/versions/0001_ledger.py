"""The ledger: reference tables, documents, items, entries, the log's queue, privileges and row-level security.

The SQL files beside are frozen: what comes later changes the schema by a migration of its own.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    for name in ("0001_tables.sql", "0001_functions.sql", "0001_privileges.sql"):
        op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    """Takes the whole schema away, but for the version table that Alembic itself still needs."""
    op.get_bind().exec_driver_sql(
        """DO $$
        DECLARE made record;
        BEGIN
            FOR made IN SELECT oid::regclass AS name FROM pg_class
                        WHERE relnamespace = 'stockpile'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version' LOOP
                EXECUTE format('DROP TABLE %s CASCADE', made.name);
            END LOOP;
            FOR made IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'stockpile'::regnamespace LOOP
                EXECUTE format('DROP FUNCTION %s CASCADE', made.name);
            END LOOP;
            EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO PUBLIC', current_database());
        END $$""".replace("%", "%%")
    )

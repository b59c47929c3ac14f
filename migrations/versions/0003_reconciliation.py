"""Registers and reconciliation: lists read in our fields, audits of two of them; counts; allowances.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS = ("registers", "audits", "erasure", "counts", "allowances")


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0003_{subject}.sql")


def downgrade() -> None:
    """Refused by the database where the books hold what the older schema can't."""
    for subject in reversed(SUBJECTS):
        _run(f"0003_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

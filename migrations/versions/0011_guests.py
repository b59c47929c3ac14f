"""Guests who read for a time what they were invited to, and consignments that donors share with one another.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("guests", "shares")


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0011_{subject}.sql")


def downgrade() -> None:
    """Refused by the database where the books hold what the older schema can't."""
    for subject in reversed(SUBJECTS):
        _run(f"0011_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

"""The feed of changes, and the alerts: what was found, who wants to be told, what was sent.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("changes", "alerts")


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0012_{subject}.sql")


def downgrade() -> None:
    """Refused by the database where the books hold what the older schema can't."""
    for subject in reversed(SUBJECTS):
        _run(f"0012_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

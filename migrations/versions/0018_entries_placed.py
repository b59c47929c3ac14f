"""Entries are added up by kind of place and site without a look at accounts: an entry says which class and site its ends are.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("entries_placed",)


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0018_{subject}.sql")


def downgrade() -> None:
    """Nothing that the older schema can't hold is lost."""
    for subject in reversed(SUBJECTS):
        _run(f"0018_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

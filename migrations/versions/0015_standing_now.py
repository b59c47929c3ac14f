"""Where weapons stand now and since when, from their last entries alone; and an index for cards that stand in the racks.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("standing_now",)


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0015_{subject}.sql")


def downgrade() -> None:
    for subject in reversed(SUBJECTS):
        _run(f"0015_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

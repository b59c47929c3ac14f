"""What is held is added up from the holdings alone: a holding says its model and where it counts.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("holdings",)


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0016_{subject}.sql")


def downgrade() -> None:
    """Nothing that the older schema can't hold is lost."""
    for subject in reversed(SUBJECTS):
        _run(f"0016_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

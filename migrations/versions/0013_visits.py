"""End-use monitoring: plans by class of model, visits of a donor's inspectors, what holders report of themselves.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("visits",)


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0013_{subject}.sql")


def downgrade() -> None:
    """Refused by the database where the books hold what the older schema can't."""
    for subject in reversed(SUBJECTS):
        _run(f"0013_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

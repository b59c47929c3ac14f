"""A page of documents asks of each whether its donor may read it, instead of gathering all that the donor may read first.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("documents_asked_each",)


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0017_{subject}.sql")


def downgrade() -> None:
    """Nothing that the older schema can't hold is lost."""
    for subject in reversed(SUBJECTS):
        _run(f"0017_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

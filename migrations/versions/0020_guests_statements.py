"""A guest of named consignments reads of statements those alone that speak of a consignment, also past the code.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("guests_statements",)


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0020_{subject}.sql")


def downgrade() -> None:
    """Nothing that the older schema can't hold is lost."""
    for subject in reversed(SUBJECTS):
        _run(f"0020_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

"""A membership says why it ended, where a roster or a registrar said so.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("left_because",)


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0019_{subject}.sql")


def downgrade() -> None:
    """Refused where somebody said why a person left: the older schema can't hold it."""
    for subject in reversed(SUBJECTS):
        _run(f"0019_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

"""Single sign-on: providers that vouch for people, and to whom here each of theirs is bound.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("single_sign_on",)


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0014_{subject}.sql")


def downgrade() -> None:
    """Refused by the database where the books hold what the older schema can't."""
    for subject in reversed(SUBJECTS):
        _run(f"0014_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))

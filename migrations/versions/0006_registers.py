"""Registers with what repeats in them and who imported them, as their leaf commits it; what people say of near matches.

Each subject has its SQL file and the one that takes it back.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import Connection

from stockpile.log.leaf import REGISTER_FIELDS, name_value, person_digest, register_leaf

revision = "0006"
down_revision = "0005"

SQL = Path(__file__).parent.parent / "sql"
SUBJECTS: tuple[str, ...] = ("registers",)
HEADER = tuple(name for name in REGISTER_FIELDS if name != "imported_by")


def upgrade() -> None:
    for subject in SUBJECTS:
        _run(f"0006_{subject}.sql")
    _keep_importers(op.get_bind())


def downgrade() -> None:
    """Refused by the database where the books hold what the older schema can't."""
    for subject in reversed(SUBJECTS):
        _run(f"0006_{subject}_back.sql")


def _run(name: str) -> None:
    op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))


_REGISTERS = f"""
SELECT r.seed, r.leaf, p.secret, n.code, n.name, n.rank, n.version, {", ".join(f"r.{name}" for name in HEADER)}
FROM stockpile.register r JOIN stockpile.party p ON p.party_id = r.imported_by
JOIN stockpile.party_name n ON n.party_id = p.party_id WHERE p.secret IS NOT NULL AND n.name IS NOT NULL
ORDER BY r.register_id, n.version
"""


def _keep_importers(connection: Connection) -> None:
    """The digest of who imported each list that is there: that of the name from which its leaf follows. Leaves are frozen, so is what
    makes them. Of a list whose leaf follows from none, nothing is noted: verifying goes on to say so.
    """
    found = []
    for seed, leaf, secret, code, name, rank, version, *values in connection.exec_driver_sql(_REGISTERS):
        header = dict(zip(HEADER, values, strict=True))
        digest = person_digest(
            bytes(secret), header["register_id"], "imported_by", name_value(code, name, rank, version)
        )
        if register_leaf(bytes(seed), header, digest) == bytes(leaf):
            found.append((version, digest, header["register_id"]))
    connection.exec_driver_sql("ALTER TABLE stockpile.register DISABLE TRIGGER never")
    for one in found:
        connection.exec_driver_sql(
            "UPDATE stockpile.register SET imported_by_version = %s, imported_by_digest = %s WHERE register_id = %s",
            one,
        )
    connection.exec_driver_sql("ALTER TABLE stockpile.register ENABLE TRIGGER never")

"""The transparency log: the queue of leaves that wait for the sequencer, the tree, what the log signed, and what others say of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from stockpile.db.tables.base import binary, key, metadata, moment
from stockpile.db.tables.reference import one_of

LOG: dict[str, Any] = {"info": {"group": "log"}}


def _log(**more: Any) -> Column[Any]:
    return Column("log", SmallInteger, ForeignKey("stockpile.log_origin.log"), nullable=False, **more)


unsequenced = Table(
    "unsequenced",
    metadata,
    Column(
        "position",
        BigInteger,
        Identity(always=True),
        primary_key=True,
        comment="for the queue only: says nothing of commit order",
    ),
    binary("leaf", nullable=False),
    CheckConstraint("octet_length(leaf) = 65 AND get_byte(leaf, 0) BETWEEN 1 AND 5", name="unsequenced_leaf"),
    **LOG,
    comment="Leaves of committed postings, waiting for the sequencer.",
)

log_origin = Table(
    "log_origin",
    metadata,
    Column("log", SmallInteger, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False, unique=True),
    moment("began_at", nullable=False),
    CheckConstraint("log >= 1", name="log_origin_numbered"),
    CheckConstraint("origin <> '' AND origin !~ '[[:space:]+]'", name="log_origin_said"),
    **LOG,
    comment="The log by its name; after each restore a new one, whose first leaf says where the one before ended.",
)

leaf = Table(
    "leaf",
    metadata,
    _log(primary_key=True, autoincrement=False),
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    binary("leaf", nullable=False),
    CheckConstraint("leaf_index >= 0", name="leaf_numbered"),
    CheckConstraint("octet_length(leaf) = 65 AND get_byte(leaf, 0) BETWEEN 1 AND 5", name="leaf_leaf"),
    **LOG,
    comment="Leaves in the tree, until their tile is full.",
)

tile = Table(
    "tile",
    metadata,
    _log(primary_key=True, autoincrement=False),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("tile_index", BigInteger, primary_key=True, autoincrement=False),
    binary("root", nullable=False, comment="hash over all that is under the tile"),
    binary("leaves", comment="of level 0: its 256 leaves, 65 bytes each"),
    CheckConstraint("level BETWEEN 0 AND 7", name="tile_level"),
    CheckConstraint("tile_index >= 0", name="tile_numbered"),
    CheckConstraint("octet_length(root) = 32", name="tile_root"),
    CheckConstraint(
        "CASE level WHEN 0 THEN leaves IS NOT NULL AND octet_length(leaves) = 65 * 256 ELSE leaves IS NULL END",
        name="tile_leaves",
    ),
    **LOG,
    comment="Full tiles of the tree.",
)

checkpoint = Table(
    "checkpoint",
    metadata,
    _log(primary_key=True, autoincrement=False),
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    binary("root", nullable=False),
    Column("note", Text, nullable=False, comment="the signed note of C2SP tlog-checkpoint, as it is served"),
    moment("signed_at", nullable=False),
    CheckConstraint("tree_size >= 1", name="checkpoint_size"),
    CheckConstraint("octet_length(root) = 32", name="checkpoint_root"),
    Index("checkpoint_signed", "log", "signed_at"),
    **LOG,
    comment="What the log signed: so many leaves under this root.",
)

cosignature = Table(
    "cosignature",
    metadata,
    Column("log", SmallInteger, primary_key=True, autoincrement=False),
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("witness", Text, primary_key=True, comment="the name of its key"),
    Column("line", Text, nullable=False, comment="its line of the note"),
    moment("received_at", nullable=False),
    ForeignKeyConstraint(["log", "tree_size"], ["stockpile.checkpoint.log", "stockpile.checkpoint.tree_size"]),
    **LOG,
    comment="That a witness saw a checkpoint, and nothing before that contradicts it.",
)

log_statement = Table(
    "log_statement",
    metadata,
    key("statement_id", primary_key=True),
    _log(),
    Column("kind", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    moment("recorded_at", nullable=False),
    binary("seed", nullable=False),
    binary("leaf", nullable=False),
    CheckConstraint(one_of("kind", ("key", "restored", "padding")), name="log_statement_kind"),
    CheckConstraint("octet_length(seed) = 32", name="log_statement_seed"),
    CheckConstraint(
        "octet_length(leaf) = 65 AND get_byte(leaf, 0) = CASE kind WHEN 'key' THEN 4 ELSE 5 END",
        name="log_statement_leaf",
    ),
    Index("log_statement_of_log", "log", "recorded_at"),
    **LOG,
    comment="What the log says of itself: a key that signs it, a restore that it follows, a leaf that only fills it up.",
)

log_alarm = Table(
    "log_alarm",
    metadata,
    key("alarm_id", primary_key=True),
    _log(),
    Column("kind", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("evidence", Text, comment="the notes that contradict one another, as they came"),
    moment("raised_at", nullable=False),
    CheckConstraint(
        one_of("kind", ("signer refuses", "witness conflict", "verification failed")), name="log_alarm_kind"
    ),
    Index("log_alarm_raised", "raised_at"),
    **LOG,
    comment="What somebody must look into: the log and who watches it do not agree.",
)

verification = Table(
    "verification",
    metadata,
    key("verification_id", primary_key=True),
    moment("began_at", nullable=False),
    moment("ended_at", nullable=False),
    Column("since", BigInteger, comment="only what came after the checkpoint of this size; none: everything"),
    Column("log", SmallInteger),
    Column(
        "tree_size",
        BigInteger,
        comment="the newest checkpoint that was verified, of that log; none: nothing was signed yet",
    ),
    Column("checks", JSONB, nullable=False, comment="the checks that were made"),
    Column(
        "wrong",
        JSONB,
        nullable=False,
        comment="the rows that are wrong, and what is wrong with each; may name documents of any site",
    ),
    Column("wrong_count", Integer, nullable=False),
    CheckConstraint("ended_at >= began_at", name="verification_ended"),
    CheckConstraint("(log IS NULL) = (tree_size IS NULL)", name="verification_checkpoint"),
    CheckConstraint("wrong_count >= 0", name="verification_wrong_count"),
    Index("verification_began", "began_at"),
    **LOG,
    comment="That everything was recomputed from the rows, and what was found wrong.",
)

"""Signed notes, cosignatures and checkpoints: against what others' programs and documents hold, then by breaking them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpile.proof.checkpoint import Checkpoint, open_checkpoint
from stockpile.proof.merkle import EMPTY_ROOT, leaf_hash
from stockpile.proof.note import (
    COSIGNATURE,
    Malformed,
    Note,
    Signature,
    SignatureFailed,
    Signer,
    Verifier,
    sign_note,
    strict_base64,
)

# The vectors of golang.org/x/mod/sumdb/note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)

# The example of C2SP signed-note.
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

# A checkpoint of the Go checksum database, and its key.
GO = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
GO_CHECKPOINT = (
    "go.sum database tree\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n\n"
    "— sum.golang.org Az3grpukl5AXaVfYkLiDGORx/DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHLAyaKbbTM75QTtPydhKCExixSfwQ=\n"
)

LOG = Signer("example.gov/armoury", b"\x11" * 32)
WITNESS = Signer("donor.example/witness", b"\x22" * 32, COSIGNATURE)
CHECKPOINT = Checkpoint("example.gov/armoury", 7, leaf_hash(b"a root"))


def test_the_vectors_of_others() -> None:
    assert sign_note(TEXT, [Signer.parse(PETER_PRIVATE)]).encoded() == f"{TEXT}\n{PETER_LINE}"
    assert str(Signer.parse(PETER_PRIVATE).verifier) == PETER
    assert Signer.parse(PETER_PRIVATE).encoded() == PETER_PRIVATE
    assert "AYEK" not in repr(Signer.parse(PETER_PRIVATE))
    both = Note.parse(f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}")
    assert [one.verifier.name for one in both.check([Verifier.parse(ENOCH)])] == ["EnochRoot"]
    assert len(both.check([Verifier.parse(ENOCH), Verifier.parse(PETER)])) == 2
    assert both.check([]) == []
    assert both.encoded() == f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}"
    assert Note.parse(FOO_NOTE.encode()).check([Verifier.parse(FOO)])
    opened = Note.parse(GO_CHECKPOINT)
    assert opened.check([Verifier.parse(GO)])
    assert Checkpoint.parse(opened.text).size == 35225469
    assert Verifier.parse("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2").kind == COSIGNATURE


def test_a_key_that_is_mangled_is_not_read() -> None:
    """As golang.org/x/mod tries its own: every part of the text alone, and every character changed."""
    for text, parse in ((PETER, Verifier.parse), (PETER_PRIVATE, Signer.parse)):
        mangled = {text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :] for at in range(len(text))}
        mangled |= {text[begin:end] for begin in range(0, len(text), 3) for end in range(begin + 1, len(text), 2)}
        for wrong in mangled - {text}:
            with pytest.raises(Malformed):
                parse(wrong)
    with pytest.raises(Malformed, match="is not base64"):  # a wrong length, and stray bits in its last character
        Verifier.parse("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==")
    with pytest.raises(Malformed, match="type 0x65"):
        Verifier.parse("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    with pytest.raises(Malformed) as refused:
        Signer.parse(PETER_PRIVATE[:-4])
    assert "AYEK" not in str(refused.value)


def test_base64_has_one_form() -> None:
    assert strict_base64("AAA=") == b"\0\0"
    for wrong in ("", "AAA", "AAB=", "AA A=", "AAA=\n", "AA-_", "AAA==", "ÄÄÄÄ"):
        with pytest.raises(Malformed):
            strict_base64(wrong)


@pytest.mark.parametrize(
    "encoded",
    [
        TEXT,
        TEXT + "\n",
        f"{TEXT}\n{PETER_LINE[:-1]}",
        f"\x01{TEXT}\n{PETER_LINE}",
        b"\xff" + f"{TEXT}\n{PETER_LINE}".encode(),
        f"{TEXT}\n— Bad Name {PETER_LINE.split()[2]}\n",
        f"{TEXT}\n{PETER_LINE}Unexpected line.\n",
        f"{TEXT}\n{PETER_LINE.replace('—', '-')}",
        f"{TEXT}\n— PeterNeumann AAAA\n",
        f"{TEXT}\n{PETER_LINE * 101}",
        f"{TEXT}\n{PETER_LINE}".replace("\n", "\r\n"),
    ],
)
def test_what_is_no_note_is_not_read(encoded: bytes | str) -> None:
    with pytest.raises(Malformed):
        Note.parse(encoded)


def test_a_text_may_hold_empty_lines_and_any_script() -> None:
    text = "Ognuno sta solo sul cuor della terra\n\nКТ 449921\n٤٤٩\n"
    note = sign_note(text, [LOG])
    assert Note.parse(note.encoded()) == note
    assert note.check([LOG.verifier])


def test_a_cosignature_says_when_and_covers_it() -> None:
    note = CHECKPOINT.signed(LOG).signed_also(WITNESS.sign(CHECKPOINT.text(), 1679315147))
    assert Note.parse(note.encoded()) == note
    opened = open_checkpoint(note.encoded(), [LOG.verifier, WITNESS.verifier])
    assert opened.checkpoint == CHECKPOINT
    assert [(one.verifier.name, one.moment) for one in opened.witnesses] == [("donor.example/witness", 1679315147)]
    seen = note.signatures[1]
    earlier = Signature(seen.name, seen.key_id, (1679315146).to_bytes(8, "big") + seen.value[8:])
    with pytest.raises(SignatureFailed, match=r"donor\.example/witness"):
        open_checkpoint(note.signed_also(earlier).encoded(), [LOG.verifier, WITNESS.verifier])
    assert open_checkpoint(note.signed_also(earlier).encoded(), [LOG.verifier]).witnesses == []
    with pytest.raises(ValueError, match="has a moment"):
        WITNESS.sign(CHECKPOINT.text())


def test_a_witness_can_t_stand_in_for_the_log() -> None:
    note = Note(CHECKPOINT.text(), (WITNESS.sign(CHECKPOINT.text(), 5),))
    with pytest.raises(SignatureFailed, match=r"no key was given for the log example\.gov/armoury"):
        open_checkpoint(note.encoded(), [WITNESS.verifier])
    with pytest.raises(SignatureFailed, match=r"not signed by a given key of the log example\.gov/armoury"):
        open_checkpoint(note.encoded(), [WITNESS.verifier, LOG.verifier])
    other = Signer("example.gov/armoury", b"\x33" * 32)
    with pytest.raises(SignatureFailed, match="not signed by a given key"):
        open_checkpoint(CHECKPOINT.signed(other).encoded(), [LOG.verifier])


ENCODED = CHECKPOINT.signed(LOG).signed_also(WITNESS.sign(CHECKPOINT.text(), 1679315147)).encoded().encode()


def test_a_checkpoint_fails_when_any_byte_is_flipped() -> None:
    """A flipped name or key id makes a signature another key's: then fewer keys have signed."""
    keys = [LOG.verifier, WITNESS.verifier]
    whole = open_checkpoint(ENCODED, keys)
    for at in range(len(ENCODED)):
        changed = bytearray(ENCODED)
        changed[at] ^= 1 << (at % 8)
        try:
            opened = open_checkpoint(bytes(changed), keys)
        except (Malformed, SignatureFailed):
            continue
        assert opened.checkpoint == whole.checkpoint
        assert len(opened.signed) < len(whole.signed)


@given(st.text(), st.text(), st.text(), st.lists(st.text(), max_size=2))
@settings(max_examples=200, deadline=None)
def test_whatever_is_read_is_written_the_same(origin: str, size: str, root: str, extensions: list[str]) -> None:
    text = "".join(f"{line}\n" for line in (origin, size, root, *extensions))
    try:
        read = Checkpoint.parse(text)
    except Malformed:
        return
    assert read.text() == text


def test_checkpoints_are_read_strictly() -> None:
    root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    read = Checkpoint.parse(f"example.com/behind-the-sofa\n20852163\n{root}\nan extension\n")
    assert (read.size, read.extensions) == (20852163, ("an extension",))
    assert Checkpoint("a log", 0, EMPTY_ROOT).text().startswith("a log\n0\n47DEQ")
    for wrong in (
        f"log\n007\n{root}\n", f"log\n-7\n{root}\n", f"log\n+7\n{root}\n", f"log\n٧\n{root}\n", f"log\n7\n{root[:-1]}\n",
        f"log\n7\n{root}", f"log\n7\n{root}\n\n", f"\n7\n{root}\n", f"log\n7\n{root} \n", f"log\n0\n{root}\n",
        f"log\n9223372036854775808\n{root}\n", "log\n7\nAAAA\n", "log\n7\n",
    ):  # fmt: skip
        with pytest.raises(Malformed):
            Checkpoint.parse(wrong)

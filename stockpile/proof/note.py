"""Signed notes (C2SP signed-note) and the cosignatures of witnesses (C2SP tlog-cosignature, cosignature/v1): written,
read strictly, and checked. Pure: the standard library, and `cryptography` for Ed25519.

A signature of a key that nobody asked about is kept and says nothing; one of a key that was asked about must hold.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .merkle import ProofFailed

ED25519, COSIGNATURE = 0x01, 0x04
"""Types of signature: over the note's text; over the text and the moment at which a witness saw it."""
TYPES = {ED25519: "Ed25519", COSIGNATURE: "Ed25519 cosignature/v1"}

MOST_SIGNATURES = 100
LONGEST_NOTE = 1 << 20
_LAST_MOMENT = (1 << 63) - 1
_PRIVATE = "PRIVATE+KEY+"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Malformed(ProofFailed):
    """A text is not written as its format says."""


class SignatureFailed(ProofFailed):
    """A signature that had to hold does not, or is not there."""


def strict_base64(text: str) -> bytes:
    """Standard base64 (RFC 4648 section 4) in its one form: padded, nothing between, no stray bits. Raises Malformed."""
    try:
        decoded = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not text or base64.b64encode(decoded).decode() != text:
        raise Malformed(f"{text[:80]!r} is not base64")
    return decoded


def base64_text(value: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(value).decode()


def key_id(name: str, kind: int, public_key: bytes) -> bytes:
    """The four bytes that with the name tell keys apart (C2SP signed-note, "Signatures")."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]


def check_name(name: str) -> str:
    """The name of a key: not empty, no space of any script, no plus, nothing unprintable. Raises Malformed."""
    if not name or "+" in name or any(character.isspace() or ord(character) < 32 for character in name):
        raise Malformed(f"{name[:80]!r} is no name of a key: it has no spaces and no plus signs")
    return name


@dataclass(frozen=True)
class Signature:
    """One line of signature as it stands under a note."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """`— name base64`, with its line feed."""
        return f"— {self.name} {base64_text(self.key_id + self.value)}\n"


@dataclass(frozen=True)
class Verifier:
    """A public key under the name of who signs with it. `str()` writes it as `name+id+base64`, a verifier key."""

    name: str
    public_key: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in TYPES:
            known = ", ".join(f"{kind:#04x} ({title})" for kind, title in TYPES.items())
            raise Malformed(f"the key of {self.name} has the type {self.kind:#04x}; what can be checked is {known}")
        if len(self.public_key) != 32:
            raise Malformed(f"the key of {self.name} has {len(self.public_key)} bytes instead of 32")

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read a verifier key (C2SP signed-note, "Verifier keys"). Raises Malformed."""
        name, identifier, kind, material = _key_parts(text.strip())
        verifier = cls(name, material, kind)
        if identifier != verifier.key_id:
            raise Malformed(f"the key of {name} is damaged: its id is {identifier.hex()}, not {verifier.key_id.hex()}")
        return verifier

    @property
    def key_id(self) -> bytes:
        """The first four bytes of the key's hash."""
        return key_id(self.name, self.kind, self.public_key)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64_text(bytes([self.kind]) + self.public_key)}"

    def check(self, text: str, signature: Signature) -> int | None:
        """Check a signature of this key over a note's text. Returns the moment of a cosignature in seconds since 1970,
        None for a plain signature. Raises SignatureFailed.
        """
        moment, value = None, signature.value
        if self.kind == COSIGNATURE:
            moment, value = int.from_bytes(value[:8], "big"), value[8:]
        try:
            if len(value) != 64 or (moment or 0) > _LAST_MOMENT:
                raise InvalidSignature
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(value, signed_message(text, moment))
        except (InvalidSignature, ValueError):
            raise SignatureFailed(f"the signature of {self.name} (key {self.key_id.hex()}) does not hold") from None
        return moment


@dataclass(frozen=True)
class Signer:
    """A private key under its holder's name. Its text is secret and never shown by accident: `encoded()` writes it."""

    name: str
    seed: bytes = field(repr=False)
    kind: int = ED25519

    @classmethod
    def generate(cls, name: str, kind: int = ED25519) -> Signer:
        """A new key."""
        return cls(check_name(name), secrets.token_bytes(32), kind)

    @classmethod
    def parse(cls, text: str) -> Signer:
        """Read `PRIVATE+KEY+name+id+base64`, as golang.org/x/mod/sumdb/note writes it. Raises Malformed, which never
        repeats the text.
        """
        try:
            if not text.startswith(_PRIVATE):
                raise Malformed("")
            name, identifier, kind, seed = _key_parts(text.strip().removeprefix(_PRIVATE))
            signer = cls(name, seed, kind)
            if len(seed) != 32 or identifier != signer.verifier.key_id:
                raise Malformed("")
        except Malformed:
            raise Malformed(
                f"a private key is written {_PRIVATE}name+id+base64; this one is not, or is damaged"
            ) from None
        return signer

    def encoded(self) -> str:
        """The private key as text, in the form that `parse` reads."""
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{base64_text(bytes([self.kind]) + self.seed)}"

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return Verifier(self.name, public.public_bytes(Encoding.Raw, PublicFormat.Raw), self.kind)

    def sign(self, text: str, moment: int | None = None) -> Signature:
        """Sign a note's text; a cosignature also says when, in seconds since 1970."""
        if (moment is not None) != (self.kind == COSIGNATURE):
            raise ValueError("a cosignature has a moment, a plain signature has none")
        value = Ed25519PrivateKey.from_private_bytes(self.seed).sign(signed_message(text, moment))
        stamped = value if moment is None else moment.to_bytes(8, "big") + value
        return Signature(self.name, self.verifier.key_id, stamped)


@dataclass(frozen=True)
class Signed:
    """A signature that held: whose key, and for a cosignature when the witness saw it, in seconds since 1970."""

    verifier: Verifier
    moment: int | None


@dataclass(frozen=True)
class Note:
    """A text and the signatures under it, those of unknown keys too, in their order."""

    text: str
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n") or _CONTROL.search(self.text):
            raise Malformed("the text of a note ends in a line feed and has no control characters")

    @classmethod
    def parse(cls, encoded: bytes | str) -> Note:
        """Read a note (C2SP signed-note, "Format"). Raises Malformed."""
        if len(encoded) > LONGEST_NOTE:
            raise Malformed("a note of more than a megabyte is not read")
        try:
            whole = encoded if isinstance(encoded, str) else encoded.decode()
        except UnicodeDecodeError:
            raise Malformed("a note is written in UTF-8") from None
        text, empty_line, lines = whole.rpartition("\n\n")
        if not empty_line or not lines.endswith("\n") or _CONTROL.search(whole):
            raise Malformed("a note is a text, an empty line, and a line for each signature")
        signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
        if len(signatures) > MOST_SIGNATURES:
            raise Malformed(f"a note of more than {MOST_SIGNATURES} signatures is not read")
        return cls(text + "\n", signatures)

    def encoded(self) -> str:
        """The note as it is kept and sent."""
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)

    def signed_also(self, *signatures: Signature) -> Note:
        """The note with further signatures; one of the same key takes the place of the earlier."""
        new = {(signature.name, signature.key_id) for signature in signatures}
        kept = (one for one in self.signatures if (one.name, one.key_id) not in new)
        return Note(self.text, (*kept, *signatures))

    def check(self, verifiers: Iterable[Verifier]) -> list[Signed]:
        """The signatures of these keys, each checked; those of other keys are passed over. Raises SignatureFailed when one
        of a given key does not hold; an empty list says that none of them signed.
        """
        known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
        signed: dict[Verifier, Signed] = {}
        for signature in self.signatures:
            verifier = known.get((signature.name, signature.key_id))
            if verifier is not None:
                found = Signed(verifier, verifier.check(self.text, signature))
                signed.setdefault(verifier, found)
        return list(signed.values())


def sign_note(text: str, signers: Sequence[Signer]) -> Note:
    """A text signed plainly by each of these keys."""
    return Note(text, tuple(signer.sign(text) for signer in signers))


def signed_message(text: str, moment: int | None) -> bytes:
    """What a key signs: the text, for a cosignature behind its two lines (C2SP tlog-cosignature, "Ed25519 signed message")."""
    if moment is None:
        return text.encode()
    return f"cosignature/v1\ntime {moment}\n{text}".encode()


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, space, encoded = rest.partition(" ")
    if dash != "—" or not space:
        raise Malformed(f"{line[:80]!r} is no line of a signature")
    value = strict_base64(encoded)
    if len(value) < 5:
        raise Malformed(f"the signature of {name[:80]!r} is too short")
    return Signature(check_name(name), value[:4], value[4:])


def _key_parts(text: str) -> tuple[str, bytes, int, bytes]:
    """Name, id, type and material of a key in its text form."""
    name, first, rest = text.partition("+")
    identifier, second, encoded = rest.partition("+")
    if not first or not second or not re.fullmatch("[0-9a-f]{8}", identifier):
        raise Malformed(f"a key is written name+id+base64, not {text[:80]!r}")
    material = strict_base64(encoded)
    return check_name(name), bytes.fromhex(identifier), material[0], material[1:]

"""Evidence: the photos and scans that acts and notes name. What a file is, its content says, never its name.

A photo is decoded once: that it is one stands beside the file from then on. What is no photo is looked at again whenever it
is named, since a later version may be able to read it.
"""

from __future__ import annotations

import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from PIL import Image, UnidentifiedImageError

from stockpile.errors import Fault, Invalid, NotFound, UnreadableFile
from stockpile.files import FileStore, file_store
from stockpile.sentences import sentence
from stockpile.settings import Settings

PHOTOS = {
    "JPEG": ("image/jpeg", "jpg"),
    "MPO": ("image/jpeg", "jpg"),  # a JPEG with a second picture in it, as some telephones write
    "PNG": ("image/png", "png"),
    "WEBP": ("image/webp", "webp"),
    "TIFF": ("image/tiff", "tif"),
    "HEIF": ("image/heic", "heic"),  # where Pillow has a plug-in for it
}
PDF = ("application/pdf", "pdf")
PDF_BEGINS, PDF_ENDS = b"%PDF-", b"%%EOF"
ENDS_WITHIN = 1024
"""So far from its end the trailer of a PDF may stand."""

SCAN_BEGINS = b"\xff\xda"
"""The marker before each scan of a JPEG (ISO/IEC 10918-1); in what is packed it never stands, but in a small preview it may."""
MOST_SCANS = 64
"""A progressive JPEG has about ten. Each is decoded over the whole picture: of 28,000 in a file of 1 MB that takes minutes."""

REMEDY = sentence("attach a photo (JPEG, PNG, WEBP, TIFF) or a scan (PDF or a picture)")
ENDING_OF = dict((*PHOTOS.values(), PDF))

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # such a picture is refused in words

_one_at_a_time = Lock()
"""A photo may take 270 MB while it is decoded: one at a time in each process."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a stored photo or scan is: its media type and, of a photo, its size in pixels."""

    media_type: str
    width: int | None = None
    height: int | None = None

    @property
    def ending(self) -> str:
        """How the name of such a file ends."""
        return ENDING_OF[self.media_type]


def need_evidence(digests: Iterable[str], field: str, problem: str) -> None:
    """Raises Invalid, naming the field, unless each digest is that of a stored photo or scan."""
    judged = [(digest, why_no_evidence(digest)) for digest in digests]
    faults = [Fault(why, field=field, value=digest) for digest, why in judged if why is not None]
    if faults:
        raise Invalid(problem, faults)


def why_no_evidence(digest: str) -> str | None:
    """Why a digest is not that of a stored photo or scan, in words; None: it is."""
    try:
        known(file_store(), digest)
    except (UnreadableFile, NotFound) as fault:
        return fault.detail
    return None


def known(store: FileStore, digest: str) -> Evidence:
    """What a stored file is. Raises NotFound if it is not there, UnreadableFile if it is neither photo nor scan."""
    path = store.path(digest)
    beside = path.with_suffix(".evidence")
    try:
        kept = Evidence(**json.loads(beside.read_bytes()))
    except (OSError, ValueError, TypeError):
        kept = None
    if kept is not None:
        _check_size(path)
        return kept
    found = judge(path)
    _keep(beside, found)
    return found


def judge(path: Path) -> Evidence:
    """Looks into a file. Raises UnreadableFile, with what it is instead and what to do, if it is neither photo nor scan,
    or larger than one may be.
    """
    with path.open("rb") as file:
        begin = file.read(ENDS_WITHIN)
        file.seek(max(0, path.stat().st_size - ENDS_WITHIN))
        end = file.read()
    if not begin:
        raise UnreadableFile(sentence("an empty file: {remedy}", remedy=REMEDY))
    if begin.startswith(PDF_BEGINS):
        if PDF_ENDS not in end:
            raise UnreadableFile(sentence("a PDF that breaks off before its end: scan or send it again"))
        _check_size(path)
        return Evidence(PDF[0])
    instead = _instead(path, begin)
    if instead is not None:
        raise UnreadableFile(sentence("{instead}: {remedy}", instead=instead, remedy=REMEDY))
    _check_size(path)
    return _decoded(path)


def _decoded(path: Path) -> Evidence:
    """A picture as Pillow reads it, every pixel of it."""
    Image.init()
    formats = [name for name in PHOTOS if name in Image.OPEN]
    most = Image.MAX_IMAGE_PIXELS or 0
    if has_too_many_scans(path.read_bytes()):
        raise UnreadableFile(sentence("a picture in too many passes: save it anew as a plain JPEG"))
    try:
        with _one_at_a_time, Image.open(path, formats=formats) as picture:
            if picture.width * picture.height > most:
                raise UnreadableFile(_too_many_pixels(most))
            picture.load()
            return Evidence(PHOTOS[str(picture.format)][0], picture.width, picture.height)
    except Image.DecompressionBombError:
        raise UnreadableFile(_too_many_pixels(most)) from None
    except UnidentifiedImageError:
        raise UnreadableFile(sentence("no photo and no scan: {remedy}", remedy=REMEDY)) from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError) as problem:
        # What Pillow raises in the middle of damaged pictures; it promises no list of it.
        raise UnreadableFile(
            sentence("a picture that is damaged ({problem}): take or send it again", problem=problem)
        ) from None


def has_too_many_scans(picture: bytes) -> bool:
    """Whether a JPEG is made to be decoded over and over again."""
    return picture.startswith(b"\xff\xd8") and picture.count(SCAN_BEGINS) > MOST_SCANS


def _too_many_pixels(most: int) -> str:
    return sentence("a picture of more than {most} million pixels: save it smaller", most=most // 1_000_000)


def _check_size(path: Path) -> None:
    size, most = path.stat().st_size, Settings().evidence_limit
    if size > most:
        raise UnreadableFile(
            sentence("{size:,} bytes, a photo or scan may have {most:,}: save it smaller", size=size, most=most)
        )


BEGINNINGS = (
    (b"\x7fELF", sentence("a program")),
    (b"MZ", sentence("a program")),
    (b"\xca\xfe\xba\xbe", sentence("a program")),
    (b"\xcf\xfa\xed\xfe", sentence("a program")),
    (b"#!", sentence("a program")),
    (b"\xd0\xcf\x11\xe0", sentence("an old Office document")),
    (b"{\\rtf", sentence("a text document")),
    (b"GIF8", sentence("a GIF picture")),
    (b"BM", sentence("a BMP picture")),
    (b"Rar!", sentence("an archive")),
    (b"7z\xbc\xaf", sentence("an archive")),
    (b"\x1f\x8b", sentence("an archive")),
)
"""What a file is by its first bytes, if it is no evidence."""
INSIDE = (
    ("xl/", sentence("a spreadsheet")),
    ("word/", sentence("a text document")),
    ("ppt/", sentence("a presentation")),
    ("content.xml", sentence("an OpenDocument file")),
)
FILMS = (b"isom", b"mp42", b"mp41", b"avc1", b"qt  ", b"M4V ", b"3gp4", b"3gp5")
HEIC = (b"heic", b"heix", b"mif1", b"hevc")


def _instead(path: Path, begin: bytes) -> str | None:
    """What a file is that is no evidence; None if it may be a picture."""
    for first, what in BEGINNINGS:
        if begin.startswith(first):
            return what
    if begin.startswith(b"PK\x03\x04"):
        return _packed(path)
    if begin[4:8] == b"ftyp":
        if begin[8:12] in FILMS:
            return sentence("a film")
        if begin[8:12] in HEIC and "HEIF" not in Image.OPEN:
            return sentence("a HEIC photo, which this installation cannot read")
    shown = begin.lstrip().lower()
    if shown.startswith((b"<!doctype html", b"<html", b"<svg", b"<?xml")):
        return sentence("a web page or drawing in XML")
    return sentence("a text") if _is_text(begin) else None


def _packed(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):  # the last: an unknown compression
        return sentence("an archive that is damaged")
    return next((what for part, what in INSIDE if any(name.startswith(part) for name in names)), sentence("an archive"))


def _is_text(begin: bytes) -> bool:
    """Whether the bytes are text; the last character may be cut in two."""
    try:
        written = begin.decode("utf-8", "strict" if len(begin) < ENDS_WITHIN else "ignore")
    except UnicodeDecodeError:
        return False
    return len(written.encode()) >= len(begin) - 3 and all(
        character.isprintable() or character.isspace() for character in written
    )


def _keep(beside: Path, found: Evidence) -> None:
    """Whole or not at all: of several processes that find the same, the last one's file stays."""
    try:
        descriptor, name = tempfile.mkstemp(dir=beside.parent, prefix="incoming-")
    except OSError:
        return  # no room for it: it is found again the next time
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(asdict(found)).encode())
        os.replace(name, beside)
    except OSError:
        Path(name).unlink(missing_ok=True)

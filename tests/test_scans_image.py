"""A camera's frames, read by the service: what is in them, and what is no frame."""

from __future__ import annotations

from io import BytesIO
from threading import Event, Thread

import pytest
import zxingcpp
from httpx import Response
from PIL import Image

from api.v1 import scans
from stockpile.frames import LARGEST_FRAME
from stockpile.marks import envelope, read_mark
from tests.api_world import Web, problem, served

web = pytest.fixture(served)

MARK = envelope(1, enterprise="1ABC2", serial_number="W0042")
KINDS = zxingcpp.BarcodeFormat


def frame(*codes: tuple[str, zxingcpp.BarcodeFormat], scale: int = 6, turned: float = 0) -> bytes:
    """A photo of codes beside one another."""
    drawn = [Image.fromarray(zxingcpp.create_barcode(text, kind).to_image(scale=scale)) for text, kind in codes]
    picture = Image.new(
        "L",
        (sum(each.width + 80 for each in drawn) or 300, max((each.height for each in drawn), default=200) + 80),
        200,
    )
    left = 40
    for each in drawn:
        picture.paste(each, (left, 40))
        left += each.width + 80
    return jpeg(picture.rotate(turned, expand=True, fillcolor=200))


def jpeg(picture: Image.Image, kind: str = "JPEG") -> bytes:
    """A picture as a file."""
    written = BytesIO()
    picture.save(written, kind, quality=70)
    return written.getvalue()


def in_passes(picture: Image.Image, size: int) -> bytes:
    """A picture as a JPEG that refines itself again and again, until the file has so many bytes: its last pass, repeated."""
    written = BytesIO()
    picture.save(written, "JPEG", progressive=True)
    whole = written.getvalue()
    last = whole[whole.rindex(b"\xff\xc4") : -2]
    return whole[:-2] + last * ((size - len(whole)) // len(last)) + whole[-2:]


def sent(web: Web, who: str, picture: bytes) -> Response:
    """What the service answers to a frame."""
    headers = {**web.headers(who), "Content-Type": "image/jpeg"}
    return web.client.post("/v1/scans/image", content=picture, headers=headers)


def texts(web: Web, picture: bytes) -> set[str]:
    """What the clerk's camera sees."""
    answer = sent(web, "clerk", picture)
    assert answer.status_code == 200, answer.text
    assert answer.json()["skipped"] is False
    return {code["text"] for code in answer.json()["scans"]}


def test_every_code_of_a_frame_is_read(web: Web) -> None:
    """A mark with its separators, a tag, a document's number; also turned; none, where there is none."""
    codes = ((MARK, KINDS.DataMatrix), ("SP-000001-A", KINDS.Code128), ("TAJI/B/2026/41", KINDS.QRCode))
    assert texts(web, frame(*codes)) == {text for text, _ in codes}
    assert texts(web, frame(codes[0], turned=20)) == {MARK}
    mark = read_mark(MARK)
    assert mark is not None
    assert mark.uii == "D1ABC2W0042"
    assert texts(web, frame()) == set()


def test_the_code_of_a_shop_is_not_read(web: Web) -> None:
    """What looks like one is mostly no code at all."""
    assert texts(web, frame(("4006381333931", KINDS.EAN13))) == set()


def test_what_is_no_frame_is_refused_in_words(web: Web) -> None:
    """Nothing, no picture, another kind of picture, half a picture, one of many pixels in few bytes, one of too many bytes."""
    whole = frame((MARK, KINDS.DataMatrix))
    bomb = jpeg(Image.new("L", (9000, 9000), 255))
    other = jpeg(Image.new("L", (50, 50)), "PNG")
    for wrong, words in (
        (b"", "no JPEG"), (b"picture", "no JPEG"), (other, "no JPEG"), (whole[: len(whole) // 2], "damaged"), (bomb, "pixels"),
    ):  # fmt: skip
        assert words in problem(sent(web, "clerk", wrong), 422, "unreadable-file")["detail"]
    assert len(bomb) < LARGEST_FRAME
    problem(sent(web, "clerk", whole + bytes(LARGEST_FRAME)), 413, "too-large")


def test_a_picture_that_would_be_decoded_for_minutes_is_refused(web: Web) -> None:
    """Few bytes, few pixels, 28,000 passes: nobody keeps a processor busy with one frame, or with one photo. A progressive JPEG as
    telephones write it is read.
    """
    endless = in_passes(Image.new("L", (2000, 2000), 128), LARGEST_FRAME - 100)
    assert "too many passes" in problem(sent(web, "clerk", endless), 422, "unreadable-file")["detail"]
    as_photo = web.client.post("/v1/files?evidence=true", content=endless, headers=web.headers("clerk"))
    assert "too many passes" in problem(as_photo, 422, "unreadable-file")["detail"]
    usual = BytesIO()
    Image.open(BytesIO(frame((MARK, KINDS.DataMatrix)))).convert("RGB").save(usual, "JPEG", progressive=True)
    assert texts(web, usual.getvalue()) == {MARK}


def test_who_may_ask(web: Web) -> None:
    """Not donors, nor nobody."""
    picture = frame((MARK, KINDS.DataMatrix))
    problem(sent(web, "USA", picture), 403, "not-allowed")
    problem(web.client.post("/v1/scans/image", content=picture), 401, "not-signed-in")


def test_one_frame_at_a_time_for_each(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one of the same person is skipped, not queued; a colleague's is read."""
    reading, go_on = Event(), Event()
    read = scans.read_codes

    def slowly(picture: bytes) -> object:
        reading.set()
        assert go_on.wait(30)
        return read(picture)

    monkeypatch.setattr(scans, "read_codes", slowly)
    picture = frame((MARK, KINDS.DataMatrix))
    answers: list[Response] = []
    first = Thread(target=lambda: answers.append(sent(web, "clerk", picture)))
    first.start()
    assert reading.wait(30)
    assert sent(web, "clerk", picture).json() == {"scans": [], "skipped": True}
    monkeypatch.setattr(scans, "read_codes", read)
    assert sent(web, "second clerk", picture).json()["scans"]
    go_on.set()
    first.join()
    assert answers[0].json()["scans"]
    assert texts(web, picture) == {MARK}

"""The page that sets a scanner up, as a clerk meets it: scan, read what is wrong, scan the set-up code, work."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from api.pages.scanner import SET_UP_TEXT
from stockpile.marks import envelope
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import Visitors, chromium
from tests.browser.keyboards import ARABIC, AZERTY, KEYBOARDS, QWERTZ, US, Scanner, android, enter, human, press

MARK = envelope(1, enterprise="1ABC2", serial_number="W0042")
READY = "html[data-scanner=ready]"


def opened(visitors: Visitors, **options: object) -> Page:
    """The page, listening."""
    page = visitors.page("clerk", "/station/scanner", **options)
    page.wait_for_selector(READY)
    return page


def findings(page: Page) -> str:
    """What is said about the scanner."""
    return " ".join(page.locator("#findings li").all_inner_texts())


def known(page: Page) -> str:
    """What the browser knows, in words."""
    return page.locator("#summary").inner_text()


@pytest.mark.parametrize("pc", [name for name in KEYBOARDS if name != "US"])
def test_a_us_scanner_on_a_pc_of_another_country(visitors: Visitors, pc: str) -> None:
    """The page says what the layout does; the set-up code puts it right, for good and for the station too."""
    page = opened(visitors)
    scanner = Scanner(US, KEYBOARDS[pc])
    press(page, scanner.types("WZQ-700420"))
    expect(page.locator("#findings .wrong")).to_contain_text("scan the set-up code")
    press(page, scanner.types(SET_UP_TEXT))
    expect(page.locator("#read")).to_have_text("Set-up code")
    assert "types as a US keyboard" in findings(page)
    assert "that is put right" in findings(page)
    assert page.locator("#findings .wrong").count() == 0
    page.reload()
    page.wait_for_selector(READY)
    assert "are learnt" in known(page)
    press(page, scanner.types("WZQ-700420"))
    expect(page.locator("#read")).to_have_text("WZQ-700420")
    assert "This scanner is set up." in findings(page)


def test_german_turns_z_into_y(visitors: Visitors) -> None:
    """In as many words."""
    page = opened(visitors)
    press(page, Scanner(US, QWERTZ).types("Z1Y"))
    expect(page.locator("#findings .wrong")).to_contain_text("turned Z into Y, Y into Z")


def test_what_is_wrong_is_said_with_its_remedy(visitors: Visitors) -> None:
    """No Enter; no separators; too slow."""
    page = opened(visitors)
    press(page, Scanner(US, US, suffix="").types("KT 449900"))
    expect(page.locator("#findings")).to_contain_text("Your scanner adds no Enter")
    press(page, Scanner(US, US, controls="none").types(MARK))
    expect(page.locator("#findings .wrong")).to_contain_text("Set the scanner to send control characters")
    press(page, Scanner(US, US, controls="function").types(SET_UP_TEXT))
    expect(page.locator("#findings")).to_contain_text("EOT does not arrive; marks can be read without it")
    press(page, Scanner(US, US, controls="function").types(MARK))
    expect(page.locator("#read")).to_have_text("[)>RS06GS18S1ABC2W0042RS")


def test_a_slow_scanner(visitors: Visitors) -> None:
    """It may be a human; the page says so, and what to do if it is not."""
    page = opened(visitors)
    page.evaluate(
        """async () => {
            for (const key of ['W', 'Z', '7', '0', '0', '4', 'Enter']) {
                const code = key === 'Enter' ? key : key < 'A' ? `Digit${key}` : `Key${key}`;
                document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code, bubbles: true, cancelable: true }));
                await new Promise((resolve) => setTimeout(resolve, 60));
            }
        }"""
    )
    expect(page.locator("#findings")).to_contain_text("If this was a scan: the scanner is slow")


def test_android_needs_no_setting_up(visitors: Visitors) -> None:
    """Text arrives as it is printed; scanned into a field of the page it does not stay there."""
    page = opened(visitors)
    page.locator("#prefix").focus()
    press(page, [*android([SET_UP_TEXT]), enter(15)])
    expect(page.locator("#findings")).to_contain_text("this device needs no setting up")
    expect(page.locator("#prefix")).to_have_value("")
    press(page, [*android(list("KT 449900")), enter(95)])
    expect(page.locator("#read")).to_have_text("KT 449900")
    assert "It arrived as text" in findings(page)


def test_key_by_key(visitors: Visitors) -> None:
    """Each key with its time, what is held with it, what the PC made of it and what it means."""
    page = opened(visitors)
    press(page, Scanner(US, AZERTY).types("A1(\x1d"))
    rows = [row.split("\t") for row in page.locator("#strokes tr").all_inner_texts()]
    assert [row[1:4] for row in rows] == [
        ["KeyA", "Shift", "Q"], ["Digit1", "", "&"], ["Digit9", "Shift", "9"], ["BracketRight", "Control", "$"], ["Enter", "", "Enter"],
    ]  # fmt: skip
    assert [rows[3][4], rows[4][4]] == ["GS", "CR"]
    assert all(float(row[0]) >= 0 for row in rows[1:])


def test_settings_are_kept_carried_and_forgotten(visitors: Visitors) -> None:
    """By hand, as text to another PC, and thrown away; what can't be read changes nothing and says why."""
    page = opened(visitors)
    press(page, Scanner(QWERTZ, ARABIC).types(SET_UP_TEXT))
    expect(page.locator("#summary")).to_contain_text("are learnt")
    assert "of another country" in findings(page)
    page.select_option("#suffix", "tab")
    page.locator("#gap").fill("45")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#kept")).to_have_text("Kept in this browser.")
    page.locator("summary").click()
    text = page.input_value("#text")

    other = opened(visitors)
    other.locator("summary").click()
    other.fill("#text", text[:-20])
    other.get_by_role("button", name="Take this text").click()
    expect(other.locator("#taken")).to_contain_text("copy the whole text")
    assert "No set-up code" in known(other)
    other.fill("#text", text)
    other.get_by_role("button", name="Take this text").click()
    expect(other.locator("#taken")).to_have_text("Kept in this browser.")
    assert (other.input_value("#suffix"), other.input_value("#gap")) == ("tab", "45")
    press(other, Scanner(QWERTZ, ARABIC, suffix="\t").types("yzQ_(1)"))
    expect(other.locator("#read")).to_have_text("yzQ_(1)")
    other.get_by_role("button", name="Forget all of it").click()
    expect(other.locator("#kept")).to_have_text("Forgotten.")
    assert "No set-up code" in known(other)
    assert other.evaluate("localStorage.length") == 0


def test_fields_of_the_page_can_be_typed_into(visitors: Visitors) -> None:
    """A human at the keyboard of the PC, on a page that listens to every key."""
    page = opened(visitors)
    page.focus("#prefix")
    page.keyboard.type("*7", delay=80)
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("50", delay=80)
    page.keyboard.press("Enter")
    expect(page.locator("#kept")).to_have_text("Kept in this browser.")
    press(page, Scanner(US, US, prefix="*7").types("KT 449900"))
    expect(page.locator("#read")).to_have_text("KT 449900")
    press(page, human("abcdefg\r", gap=1))
    expect(page.locator("#findings")).to_contain_text("it does not begin with the keys that each scan begins with here")


@pytest.mark.parametrize("which", ["bars", "squares"])
def test_the_printed_set_up_code_says_what_is_expected(visitors: Visitors, which: str) -> None:
    """Read off the page by a decoder, control characters included; also as the page prints."""
    page = opened(visitors, device_scale_factor=2)
    assert page.evaluate("async () => (await import('/static/station/scanner/learn.js')).SET_UP_TEXT") == SET_UP_TEXT
    for media in ("screen", "print"):
        page.emulate_media(media=media)  # type: ignore[arg-type]
        shown = Image.open(BytesIO(page.locator(f"#{which}").screenshot()))
        (read,) = zxingcpp.read_barcodes(shown)
        assert read.bytes == SET_UP_TEXT.encode()


def test_the_set_up_code_on_paper(visitors: Visitors, tmp_path: Path) -> None:
    """Both forms on one sheet of A4, read at the 203 dots an inch of a cheap printer."""
    opened(visitors).pdf(path=tmp_path / "sheet.pdf", format="A4")
    sheet = pypdfium2.PdfDocument(tmp_path / "sheet.pdf")
    assert len(sheet) == 1
    read = zxingcpp.read_barcodes(sheet[0].render(scale=203 / 72).to_pil())
    assert [code.bytes for code in read] == [SET_UP_TEXT.encode()] * 2


@pytest.mark.parametrize("size", [(1280, 800), (360, 740)])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(visitors: Visitors, size: tuple[int, int], theme: str) -> None:
    """axe-core finds nothing, before and after a scan; nothing stands out sideways on a phone."""
    page = opened(visitors, viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
    assert_accessible(page)
    press(page, Scanner(US, QWERTZ, suffix="").types(MARK))
    expect(page.locator("#findings li")).not_to_have_count(0)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def film(path: Path, *texts: str) -> Path:
    """A film of a camera that is held before codes, one after another, as a fake camera plays it: JPEG after JPEG."""
    frames = []
    for text in texts:
        code = Image.fromarray(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix).to_image(scale=8))
        picture = Image.new("RGB", (640, 480), (190, 190, 180))
        picture.paste(code, ((640 - code.width) // 2, (480 - code.height) // 2))
        written = BytesIO()
        picture.save(written, "JPEG", quality=85)
        frames += [written.getvalue()] * 20
    path.write_bytes(b"".join(frames))
    return path


@pytest.fixture
def filmed(browser: Browser, visitors: Visitors, tmp_path: Path) -> Iterator[Visitors]:
    """A clerk whose camera sees a mark."""
    film_of_mark = film(tmp_path / "mark.mjpeg", MARK)
    filming = browser.browser_type.launch(
        executable_path=chromium(),
        args=[
            "--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film_of_mark}",
        ],
    )  # fmt: skip
    yield Visitors(visitors.web, visitors.address, filming, visitors.faults)
    filming.close()


def test_a_camera_reads_a_mark(filmed: Visitors) -> None:
    """On a press, by the service, once as long as it is in view; stopped, it is off."""
    page = opened(filmed, viewport={"width": 360, "height": 740}, permissions=["camera"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/scans/image" in request.url else None)
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelector('video').srcObject === null")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#read")).to_contain_text("[)>RS06GS18S1ABC2W0042RSEOT")
    expect(page.locator("#findings")).to_contain_text("Read by the camera.")
    page.evaluate("document.querySelector('#read').textContent = ''")
    page.wait_for_timeout(3000)
    assert page.locator("#read").inner_text() == ""
    assert len(asked) > 2
    page.get_by_role("button", name="Stop the camera").click()
    expect(page.locator(".camera .sight")).to_be_hidden()
    page.wait_for_timeout(500)
    count = len(asked)
    page.wait_for_timeout(500)
    assert len(asked) == count


def test_the_browser_that_reads_codes_itself_asks_nobody(filmed: Visitors) -> None:
    """Its own reader is taken where it knows every kind that is needed."""
    context = filmed.context("clerk", permissions=["camera"])
    context.add_init_script("""
        window.BarcodeDetector = class {
            static async getSupportedFormats() { return ['code_128', 'data_matrix', 'qr_code']; }
            async detect() { return [{rawValue: ']d1SP-000001-A'}]; }
        };
    """)
    page = context.new_page()
    page.goto("/station/scanner")
    page.wait_for_selector(READY)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/" in request.url else None)
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#read")).to_have_text("SP-000001-A")
    assert asked == []


def test_why_there_is_no_camera(visitors: Visitors, filmed: Visitors) -> None:
    """Refused; none there; no HTTPS. In words, on the page."""
    refused = opened(filmed)
    refused.get_by_role("button", name="Use the camera").click()
    expect(refused.locator(".camera .words")).to_contain_text("allow it by the sign beside the address")
    none = opened(visitors, permissions=["camera"])
    none.get_by_role("button", name="Use the camera").click()
    expect(none.locator(".camera .words")).to_contain_text("There is no camera on this device")
    context = visitors.context("clerk")
    context.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false});")
    open_wire = context.new_page()
    open_wire.goto("/station/scanner")
    expect(open_wire.locator(".camera .words")).to_contain_text("over HTTPS only")
    expect(open_wire.get_by_role("button", name="Use the camera")).to_be_disabled()


def test_only_who_is_signed_in_sees_it_and_no_other_page_films(visitors: Visitors) -> None:
    """The policy lets our own pages use the camera, and nobody else's."""
    answer = visitors.web.client.get("/station/scanner", headers=visitors.web.headers("clerk"))
    assert "camera=(self)" in answer.headers["permissions-policy"]
    nobody = visitors.web.client.get("/station/scanner", headers={"Accept": "application/json"})
    assert nobody.status_code == 401

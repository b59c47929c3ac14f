"""A counter in a browser: a scanner that types faster than anybody, and what the clerk sees."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page, expect

BURST = """
text => {
    const codeOf = sign => /[a-z]/i.test(sign) ? `Key${sign.toUpperCase()}` : /[0-9]/.test(sign) ? `Digit${sign}`
        : ({" ": "Space", "-": "Minus", "/": "Slash", ".": "Period"})[sign] || "";
    const press = (key, code, shiftKey) => ["keydown", "keyup"].forEach(kind => document.activeElement.dispatchEvent(
        new KeyboardEvent(kind, {key, code, shiftKey, bubbles: true, cancelable: true, composed: true})));
    for (const sign of text) press(sign, codeOf(sign), /[A-Z]/.test(sign));
    press("Enter", "Enter", false);
}
"""
"""Keys without a pause between them, however busy the machine is."""


@dataclass(frozen=True)
class Counter:
    """The station as a clerk uses it."""

    page: Page

    def scan(self, *texts: str) -> None:
        """Scans one code after another."""
        for text in texts:
            self.page.evaluate(BURST, text)

    def type(self, text: str) -> None:
        """Types as a person does, into whatever has the focus, and presses Enter."""
        self.page.keyboard.type(text, delay=120)
        self.page.keyboard.press("Enter")

    def press(self, *keys: str) -> None:
        """Presses keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def confirm(self) -> None:
        """F10, and F10 in the window that asks."""
        self.settled()
        self.press("F10")
        expect(self.page.locator("dialog")).to_be_visible()
        self.press("F10")

    def settled(self) -> None:
        """Waits until everything that was scanned has its answer."""
        expect(self.page.locator("body[data-waiting='0']")).to_be_attached()

    def answers(self, severity: str, *words: str) -> None:
        """The answer that everybody sees: how loud, and what it says."""
        answer = self.page.locator(f"#answer.{severity}")
        for each in words:
            expect(answer).to_contain_text(each)
        expect(answer).to_be_visible()

    def shows_number(self) -> str:
        """The number of the document, in large letters."""
        number = self.page.locator(".done .number")
        expect(number).to_be_visible()
        return number.inner_text()

    def lines(self) -> list[tuple[str, str]]:
        """The list as it is shown, oldest first: each line's severity and name."""
        self.settled()
        rows = self.page.locator(".lines .line")
        return [
            (str(row.get_attribute("class")).split()[1], row.locator(".name").inner_text())
            for row in reversed(rows.all())
        ]


def station(page: Page) -> Counter:
    """The station, once its field has the focus."""
    expect(page.locator("#scan")).to_be_focused()
    expect(page.locator("#mode-title")).not_to_have_text("Station")
    counter = Counter(page)
    counter.settled()
    return counter

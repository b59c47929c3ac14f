"""Scanners and PCs for tests: what a scanner of one layout types on a PC of another, as the browser tells it.

A keyboard is a table of keys, each with the characters it gives plain, with Shift and with AltGr.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

Event = dict[str, Any]
Key = tuple[str, str]
"""A code and what is held with it: "", "shift" or "altgr"."""

CODES = [
    "Backquote", *(f"Digit{n}" for n in "1234567890"), "Minus", "Equal",
    *(f"Key{letter}" for letter in "QWERTYUIOP"), "BracketLeft", "BracketRight", "Backslash",
    *(f"Key{letter}" for letter in "ASDFGHJKL"), "Semicolon", "Quote",
    "IntlBackslash", *(f"Key{letter}" for letter in "ZXCVBNM"), "Comma", "Period", "Slash",
]  # fmt: skip
DEAD = "Dead"
NONE = "Unidentified"


def keyboard(plain: str, shifted: str, graph: Mapping[str, str] = {}) -> dict[Key, str]:
    """A layout from its rows, keys in the order of CODES; `¤` is a dead key, `␣` none, `ﻻ` two Arabic letters at once."""
    meaning = {"¤": DEAD, "␣": NONE, "ﻻ": "لا"}
    layout: dict[Key, str] = {("Space", ""): " ", ("Space", "shift"): " "}
    for held, row in (("", plain), ("shift", shifted)):
        assert len(row) == len(CODES), (len(row), len(CODES), row)
        layout |= {(code, held): meaning.get(sign, sign) for code, sign in zip(CODES, row, strict=True)}
    return layout | {(code, "altgr"): sign for code, sign in graph.items()}


US = keyboard("`1234567890-=qwertyuiop[]\\asdfghjkl;'␣zxcvbnm,./", '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"␣ZXCVBNM<>?')
QWERTZ = keyboard(
    "¤1234567890ß¤qwertzuiopü+#asdfghjklöä<yxcvbnm,.-",
    "°!\"§$%&/()=?¤QWERTZUIOPÜ*'ASDFGHJKLÖÄ>YXCVBNM;:_",
    {
        "KeyQ": "@", "Digit7": "{", "Digit8": "[", "Digit9": "]", "Digit0": "}", "Minus": "\\", "BracketRight": "~",
        "IntlBackslash": "|",
    },
)  # fmt: skip
AZERTY = keyboard(
    "²&é\"'(-è_çà)=azertyuiop¤$*qsdfghjklmù<wxcvbn,;:!",
    "␣1234567890°+AZERTYUIOP¤£µQSDFGHJKLM%>WXCVBN?./§",
    {
        "Digit2": "~", "Digit3": "#", "Digit4": "{", "Digit5": "[", "Digit6": "|", "Digit8": "\\", "Digit9": "^",
        "Digit0": "@", "Minus": "]", "Equal": "}",
    },
)  # fmt: skip
RUSSIAN = keyboard(
    "ё1234567890-=йцукенгшщзхъ\\фывапролджэ/ячсмитьбю.", 'Ё!"№;%:?*()_+ЙЦУКЕНГШЩЗХЪ/ФЫВАПРОЛДЖЭ|ЯЧСМИТЬБЮ,'
)
ARABIC = keyboard(
    "ذ1234567890-=ضصثقفغعهخحجد\\شسيبلاتنمكط␣ئءؤرﻻىةوزظ",
    "ّ!@#$%^&*)(_+ًٌَُ\u0600إ`÷×؛<>|\u064d]\u0650[\u0601أـ،/:\"␣~ْ}{\u0602آ',.؟",
)
KEYBOARDS = {"US": US, "German": QWERTZ, "French": AZERTY, "Russian": RUSSIAN, "Arabic": ARABIC}

CONTROL_KEYS = {
    "\x1c": ("Backslash", ""), "\x1d": ("BracketRight", ""), "\x1e": ("Digit6", "shift"),
}  # fmt: skip
"""What is pressed with Control, where it is no letter: the same key on every scanner."""
FUNCTION_KEYS = {"\x1c": "F7", "\x1d": "F8", "\x1e": "F9"}


@dataclass
class Scanner:
    """A scanner before a PC: `scanner.types("SP-000001-A")` is what the browser tells of it.

    `controls`: how it sends separators: "control" (Control and a key), "function" (F8, F9; no EOT), "number" (Alt and the keypad) or
    "none". `suffix` as characters: "\\r", "\\t", "\\n", "\\r\\n" or "".
    """

    layout: Mapping[Key, str]
    pc: Mapping[Key, str]
    gap: float = 2
    suffix: str = "\r"
    prefix: str = ""
    controls: str = "control"
    caps_lock: bool = False
    follows_caps_lock: bool = False
    numbers: bool = False
    """Types everything as Alt and a number."""
    ups: bool = True

    def __post_init__(self) -> None:
        self.time = 1000.0
        self.keys = {sign: key for key, sign in reversed(self.layout.items())}

    def types(self, text: str) -> list[Event]:
        """The events of one scan."""
        self.time += 1000
        return self._all(self.prefix + text + self.suffix)

    def _all(self, text: str) -> list[Event]:
        return [event for sign in text for event in self._sign(sign)]

    def _sign(self, sign: str) -> list[Event]:
        if sign in "\r\t":
            name = {"\r": "Enter", "\t": "Tab"}[sign]
            return self._press(name, name, {})
        if sign < " " and sign != "\n":
            return self._control(sign)
        if self.numbers or (sign not in self.keys and sign != "\n"):
            return self._number(sign)
        if sign == "\n":
            return self._control_key(sign)
        code, held = self.keys[sign]
        if self.caps_lock and self.follows_caps_lock and sign.isalpha():
            held = {"": "shift", "shift": ""}[held]
        return self._held(code, held)

    def _control(self, sign: str) -> list[Event]:
        if self.controls == "none" or (self.controls == "function" and sign not in FUNCTION_KEYS):
            return []
        if self.controls == "function":
            return self._press(FUNCTION_KEYS[sign], FUNCTION_KEYS[sign], {})
        return self._number(sign) if self.controls == "number" else self._control_key(sign)

    def _control_key(self, sign: str) -> list[Event]:
        code, held = CONTROL_KEYS.get(sign) or self.keys[chr(ord(sign) + 96)]
        flags = {"ctrlKey": True, "shiftKey": held == "shift"}
        return [
            self._event("down", "Control", "ControlLeft", ctrlKey=True),
            *self._press(code, self.pc.get((code, held), NONE), flags),
            self._event("up", "Control", "ControlLeft"),
        ]

    def _number(self, sign: str) -> list[Event]:
        events = [self._event("down", "Alt", "AltLeft", altKey=True)]
        for digit in f"{ord(sign):04}":
            events += self._press(f"Numpad{digit}", digit, {"altKey": True})
        arrives = {"kind": "input", "time": self.time, "data": sign, "inputType": "insertText"}
        return [*events, self._event("up", "Alt", "AltLeft"), arrives]

    def _held(self, code: str, held: str) -> list[Event]:
        key = self.pc.get((code, held), NONE)
        if self.caps_lock and len(key) == 1 and key.upper() != key.lower():
            key = key.swapcase()
        if not held:
            return self._press(code, key, {})
        name, modifier = ("Shift", "ShiftLeft") if held == "shift" else ("AltGraph", "AltRight")
        flags = {"shiftKey": True} if held == "shift" else {"altGraph": True, "altKey": True, "ctrlKey": True}
        return [
            self._event("down", name, modifier, **flags), *self._press(code, key, flags), self._event("up", name, modifier),
        ]  # fmt: skip

    def _press(self, code: str, key: str, flags: Mapping[str, bool]) -> list[Event]:
        down = self._event("down", key, code, **flags)
        return [down, self._event("up", key, code, **flags)] if self.ups else [down]

    def _event(self, kind: str, key: str, code: str, **flags: bool) -> Event:
        self.time += self.gap
        return {"kind": kind, "time": self.time, "key": key, "code": code, "capsLock": self.caps_lock, **flags}


def human(text: str, pc: Mapping[Key, str] = US, gap: float = 120, dwell: float = 80, start: float = 0) -> list[Event]:
    """What somebody types: a finger stays on its key for a while, and may leave it after the next one went down."""
    keys = {sign: key for key, sign in pc.items()}
    events: list[Event] = []
    time = start
    for sign in text:
        code, held = ("Enter", "") if sign == "\r" else keys[sign]
        key = "Enter" if sign == "\r" else sign
        shift = held == "shift"
        time += gap
        events += [
            {"kind": "down", "time": time, "key": key, "code": code, "shiftKey": shift},
            {"kind": "up", "time": time + dwell, "key": key, "code": code, "shiftKey": shift},
        ]
    return sorted(events, key=lambda event: float(event["time"]))


def android(pieces: Iterable[str], gap: float = 10, kind: str = "insertText", start: float = 0) -> list[Event]:
    """Text as Android's keyboards hand it over: keys that say nothing, then the text."""
    events: list[Event] = []
    time = start
    for piece in pieces:
        time += gap
        events.append({"kind": "down", "time": time, "key": "Unidentified", "code": "", "keyCode": 229})
        events.append({"kind": "input", "time": time + 1, "data": piece, "inputType": kind})
        events.append({"kind": "up", "time": time + 2, "key": "Unidentified", "code": "", "keyCode": 229})
    return events


def enter(time: float) -> Event:
    """The Enter key alone."""
    return {"kind": "down", "time": time, "key": "Enter", "code": "Enter", "keyCode": 13}


def shuffled(seed: int) -> dict[Key, str]:
    """A keyboard that nobody ever made: all of a US one's characters on other keys, but those letters that with Control are
    line ends and EOT.
    """
    kept = {key: sign for key, sign in US.items() if sign.lower() in "dijm "}
    keys = [key for key in US if key not in kept and US[key] != NONE]
    signs = [US[key] for key in keys if not US[key].isalpha()]
    letters = [US[key].lower() for key in keys if US[key].isalpha() and not key[1]]
    chance = random.Random(seed)
    chance.shuffle(signs)
    chance.shuffle(letters)
    layout = dict(kept)
    for key in keys:
        if not US[key].isalpha():
            layout[key] = signs.pop()
        elif not key[1]:
            letter = letters.pop()
            layout |= {key: letter, (key[0], "shift"): letter.upper()}
    return layout


PRESS = """(events) => {
    const passed = [];
    // Each event says its own time, so that a busy machine does not slow the scanner.
    const begin = Math.max(performance.now(), (window.pressedLast ?? 0) + 300) - events[0].time;
    const at = (event, time) => {
        window.pressedLast = begin + time;
        return Object.defineProperty(event, 'timeStamp', { value: begin + time });
    };
    for (const { kind, time, data, inputType, altGraph, capsLock, ...given } of events) {
        const target = document.activeElement ?? document.body;
        const common = { bubbles: true, cancelable: true, composed: true };
        if (kind === 'input') {
            const before = at(new InputEvent('beforeinput', { ...common, data, inputType }), time);
            if (target.dispatchEvent(before) && data) {
                target.value = inputType === 'insertCompositionText' ? data : target.value + data;
                target.dispatchEvent(new InputEvent('input', { bubbles: true, data, inputType }));
            }
            continue;
        }
        const event = at(new KeyboardEvent(kind === 'down' ? 'keydown' : 'keyup',
            { ...common, ...given, modifierAltGraph: altGraph, modifierCapsLock: capsLock }), time);
        if (target.dispatchEvent(event) && kind === 'down') passed.push(given.key);
    }
    return passed;
}"""


def press(page: Page, events: Iterable[Event]) -> list[str]:
    """Plays events into a page, wherever the focus is. The keys that the page let through."""
    return list(page.evaluate(PRESS, list(events)))


def scan(page: Page, text: str) -> list[str]:
    """A scan by a US scanner on a US PC that ends with Enter."""
    return press(page, Scanner(US, US).types(text))

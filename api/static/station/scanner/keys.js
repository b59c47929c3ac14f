/**
 * What one keystroke of a scanner means. A scanner is a keyboard: it presses keys, and the PC's layout says which characters
 * they are. `KeyboardEvent.code` names the key itself, whatever the layout, so a keystroke is known by its code and the
 * modifiers held with it: its signature, "KeyA", "Shift+Digit9", "Control+BracketRight".
 *
 * Pure: nothing here touches the page.
 *
 * @typedef {object} Stroke
 * @property {string} signature  modifiers and code
 * @property {string} code       the key, as KeyboardEvent.code names it; "" where the browser does not say
 * @property {string} key        what the PC's layout makes of it, as KeyboardEvent.key
 * @property {boolean} shift
 * @property {boolean} capsLock  whether Caps Lock was on
 * @property {number} time       milliseconds
 * @property {number} [number]   of a character typed as Alt and its number on the keypad
 * @property {boolean} [passed]  whether the browser has acted on it already
 * @property {object} [event]    where it came from
 */

export const FS = "\x1c", GS = "\x1d", RS = "\x1e", US_SEPARATOR = "\x1f", EOT = "\x04";

/** Where function keys stand for separators, as some scanners have it until they are told otherwise. */
const FUNCTION_KEYS = { F7: FS, F8: GS, F9: RS, F10: US_SEPARATOR };

const NAMED = { Enter: "\r", Tab: "\t" };

const US_ROWS = [
  ["Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal", "`1234567890-=", "~!@#$%^&*()_+"],
  ["KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Backslash", "qwertyuiop[]\\", "QWERTYUIOP{}|"],
  ["KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote", "asdfghjkl;'", "ASDFGHJKL:\""],
  ["KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash Space", "zxcvbnm,./ ", "ZXCVBNM<>? "],
  [
    "Numpad0 Numpad1 Numpad2 Numpad3 Numpad4 Numpad5 Numpad6 Numpad7 Numpad8 Numpad9 NumpadDecimal NumpadDivide "
      + "NumpadMultiply NumpadSubtract NumpadAdd",
    "0123456789./*-+",
    "",
  ],
];

/** A US keyboard: signature to character. What most scanners are when they leave the factory. */
export const US_KEYBOARD = Object.fromEntries(
  US_ROWS.flatMap(([codes, plain, shifted]) =>
    codes.split(" ").flatMap((code, n) => [
      [code, plain[n]],
      ...(shifted ? [[`Shift+${code}`, shifted[n]]] : []),
    ])
  ),
);

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock", "ScrollLock", "OS", "Fn", "Hyper", "Super"]);

/** @returns {boolean} whether the event is of a key that only changes others. */
export function isModifier(event) {
  return MODIFIERS.has(event.key) || /^(Shift|Control|Alt|Meta)(Left|Right)$|^CapsLock$|^NumLock$/.test(event.code);
}

/** @returns {boolean} whether the key's name is a character: Arabic keys may give two at once. */
export function isPrintable(key) {
  return key.length === 1 || (key.length > 0 && /[^\x20-\x7e]/.test(key));
}

/**
 * The stroke of a keydown.
 *
 * The right Alt key (AltGr) counts alone: Windows adds a Control to it on some layouts, not on others.
 * @param {object} event  as KeyboardEvent, with `time`
 * @param {boolean} altRight  whether the right Alt key is down
 * @returns {Stroke}
 */
export function strokeOf(event, altRight) {
  const graph = event.altGraph || altRight;
  const held = [
    !graph && event.ctrlKey && "Control",
    !graph && event.altKey && "Alt",
    graph && "AltGraph",
    event.metaKey && "Meta",
    event.shiftKey && "Shift",
  ].filter(Boolean);
  return {
    signature: [...held, event.code || `key:${event.key}`].join("+"),
    code: event.code,
    key: event.key,
    shift: Boolean(event.shiftKey),
    capsLock: Boolean(event.capsLock),
    time: event.time,
    event,
  };
}

/** The stroke of a character typed as Alt and its number on the keypad. */
export function strokeOfNumber(digits, time) {
  const number = Number(digits) % 65536;
  return { signature: `number:${number}`, code: "", key: String.fromCharCode(number), shift: false, capsLock: false, time, number };
}

/**
 * The character a stroke stands for: as the scanner was learnt; else separators by their usual keys; else what the PC's
 * layout made of it. Null: it stands for none.
 * @param {Stroke} stroke
 * @param {{map: Object<string, string>|null, capsFollows: boolean}} settings
 * @returns {string|null}
 */
export function characterOf(stroke, settings) {
  if (stroke.number !== undefined) return stroke.number ? String.fromCharCode(stroke.number) : null;
  if (stroke.key in NAMED && !stroke.signature.includes("Control+")) return NAMED[stroke.key];
  const learnt = settings.map?.[signatureUnderCapsLock(stroke, settings)];
  if (learnt !== undefined) return learnt;
  if (stroke.key in FUNCTION_KEYS && !/^(Control|Alt|Meta)/.test(stroke.signature)) return FUNCTION_KEYS[stroke.key];
  if (stroke.signature.startsWith("Control+")) return controlOf(stroke, settings);
  if (/^(Alt|Meta)\+/.test(stroke.signature)) return null;
  if (stroke.key === "Dead") return usCharacterOf(stroke);
  return isPrintable(stroke.key) ? withoutCapsLock(stroke) : null;
}

/** @returns {string|null} the character on a US keyboard, or a separator. */
export function usCharacterOf(stroke) {
  return US_KEYBOARD[stroke.signature] ?? (stroke.number !== undefined || isSeparator(stroke) ? characterOf(stroke, { map: null }) : null);
}

function isSeparator(stroke) {
  return stroke.key in FUNCTION_KEYS || stroke.signature.startsWith("Control+");
}

/** Some scanners look at Caps Lock and turn Shift round for letters. */
function signatureUnderCapsLock(stroke, settings) {
  if (!settings.capsFollows || !stroke.capsLock || !/^(Shift\+)?Key[A-Z]$/.test(stroke.signature)) return stroke.signature;
  return withoutShift(stroke.signature) ?? `Shift+${stroke.signature}`;
}

/** @returns {string|null} the same without Shift; null if there is none. */
export function withoutShift(signature) {
  return signature.includes("Shift+") ? signature.replace("Shift+", "") : null;
}

function withoutCapsLock(stroke) {
  const { key } = stroke;
  if (!stroke.capsLock || key.toLowerCase() === key.toUpperCase()) return key;
  return stroke.shift ? key.toUpperCase() : key.toLowerCase();
}

/** A control character typed with Control, as terminals do: Control and ] is GS. Some send RS without Shift, as Control and 6. */
function controlOf(stroke, settings) {
  const plain = stroke.signature.replace("Control+", "");
  const base = settings.map?.[plain] ?? US_KEYBOARD[plain] ?? stroke.key;
  if (base === "6" || base === "^") return RS;
  if (base === "-" || base === "_") return US_SEPARATOR;
  return /^[A-Za-z[\]\\]$/.test(base) ? String.fromCharCode(base.toUpperCase().charCodeAt(0) & 0x1f) : null;
}

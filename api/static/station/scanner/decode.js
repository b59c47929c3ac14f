/**
 * Tells a scanner from a human by time: keyboard and input events with their times go in, scans and typing come out.
 *
 * A scanner presses keys within milliseconds of one another and ends with Enter or Tab; nobody types so. Each key is held
 * until that is clear, a few hundredths of a second, and what turns out to be typing is given back. Whoever feeds the
 * decoder keeps the clock: it asks `quiet` when `deadline` has passed.
 *
 * Pure: no clock, no page; `decode` runs a whole recording.
 *
 * @typedef {object} KeyEvent
 * @property {"down"|"up"|"input"} kind
 * @property {number} time  milliseconds
 * @property {string} [key]  and code, shiftKey, ctrlKey, altKey, metaKey, altGraph, capsLock, repeat, keyCode, isComposing
 * @property {string|null} [data]  of an input event, with inputType
 *
 * @typedef {object} Outcome
 * @property {"scan"|"typing"} kind
 * @property {string[]} [texts]    of a scan: the codes read, mostly one
 * @property {import("./keys.js").Stroke[]} strokes  empty where only text arrived
 * @property {string|null} [suffix]  what ended a scan: "enter", "tab" or null, nothing
 * @property {boolean} [restore]   whether the text stands in the field and has to be taken out of it
 */

import { characterOf, isModifier, strokeOf, strokeOfNumber } from "./keys.js";
import { codesIn, textOf } from "./text.js";

/** Fewer characters are never a scan. */
export const FEWEST = 3;
/** So many in one burst nobody types: it is a scanner, though nothing ends it. */
export const CERTAIN = 6;
/** No code is longer; what is, is a key that got stuck. */
export const LONGEST = 2000;

/**
 * How the decoder behaves until a set-up code was scanned.
 *
 * `gap`: the longest pause between a scanner's keys, in milliseconds. `suffix`: "auto", "enter", "tab" or "none". `prefix`:
 * what each scan begins with; where there is one, nothing else is a scan. `map`: signature to character. `capsFollows`:
 * whether the scanner turns Shift round under Caps Lock.
 */
export const UNTAUGHT = Object.freeze({ gap: 35, suffix: "auto", prefix: "", map: null, capsFollows: false });

/** How it listens for a set-up code: slow scanners too, and whatever key a scan begins with. */
export const TO_LEARN = Object.freeze({ ...UNTAUGHT, gap: 150, anyKey: true });

/** How long a burst that has no end yet may pause: less would cut a code in two, which is worse than to wait. */
const PAUSE = { auto: 250, enter: 400, tab: 400, none: 80 };
/** So soon after typing no scan begins: it is the rest of one that paused, and half a code would be another weapon's. */
const SILENCE_BEFORE = 200;
const INPUT_GAP = 50;
const ENDS = { "\r": "enter", "\n": "enter", "\t": "tab" };

export class Decoder {
  #settings;
  #strokes = [];
  #last = -Infinity;
  #ended = -Infinity;
  #typedAt = -Infinity;
  #isRest = false;
  #hasEnds = false;
  #downs = new Map();
  #altRight = false;
  #digits = "";
  #numberAt = -Infinity;
  #composing = false;
  #lastKey = { time: -Infinity, opaque: true };
  #written = null;

  /** @param {object} settings  as UNTAUGHT */
  constructor(settings = UNTAUGHT) {
    this.#settings = { ...UNTAUGHT, ...settings };
  }

  /** When to ask `quiet` if nothing comes; null: there is nothing to wait for. */
  get deadline() {
    if (this.#strokes.length) return this.#last + this.#patience();
    return this.#written ? this.#written.last + this.#patienceForText() : null;
  }

  /** Whether keys are held now. */
  get holding() {
    return this.#strokes.length > 0;
  }

  /**
   * Takes one event.
   * @param {KeyEvent} event
   * @returns {{hold: boolean, begins?: boolean, outcomes: Outcome[]}}  `hold`: keep the browser from acting on it; `begins`:
   *   text that may be a scan begins to arrive, so keep what the field holds now
   */
  take(event) {
    const outcomes = this.deadline !== null && event.time > this.deadline ? this.quiet() : [];
    const taken = event.kind === "up" ? this.#up(event) : event.kind === "input" ? this.#input(event) : this.#down(event);
    return { ...taken, outcomes: [...outcomes, ...(taken.outcomes ?? [])] };
  }

  /** What the keys held so far are, now that nothing followed them. */
  quiet() {
    if (this.#written) return this.#quietInput();
    const enough = this.#length() >= (this.#settings.suffix === "none" ? FEWEST : CERTAIN);
    return enough && this.#mayEndSilently() && !this.#isRest ? this.#scanned(null) : this.#typed();
  }

  /** Gives back what is held: the focus moved, or the window lost it. */
  release() {
    this.#written = null;
    this.#digits = "";
    this.#altRight = false;
    this.#downs.clear();
    return this.#typed();
  }

  /** Not once a scan had an end: then one without is half a scan. */
  #mayEndSilently() {
    const { suffix } = this.#settings;
    return suffix === "none" || (suffix === "auto" && !this.#hasEnds);
  }

  #textGap() {
    return Math.max(INPUT_GAP, this.#settings.gap);
  }

  #patienceForText() {
    return this.#written.text.length < FEWEST ? this.#textGap() : Math.max(PAUSE[this.#settings.suffix] ?? PAUSE.auto, this.#textGap());
  }

  #length() {
    return this.#strokes.length - this.#settings.prefix.length;
  }

  #patience() {
    const { gap, suffix } = this.#settings;
    return this.#strokes.length >= FEWEST ? Math.max(PAUSE[suffix] ?? PAUSE.auto, 2 * gap) : gap;
  }

  #down(event) {
    if (isModifier(event)) return this.#modifier(event, true);
    if (event.keyCode === 229 || event.isComposing || event.key === "Process" || (!event.code && event.key === "Unidentified")) {
      this.#lastKey = { time: event.time, opaque: true };
      return { hold: false };
    }
    this.#lastKey = { time: event.time, opaque: false };
    if (event.repeat) return { hold: this.holding };
    if (event.altKey && /^Numpad[0-9]$/.test(event.code)) return this.#digit(event);
    const stroke = strokeOf(event, this.#altRight);
    this.#downs.set(event.code, event.time);
    return this.#stroke(stroke, characterOf(stroke, this.#settings));
  }

  #modifier(event, down) {
    if (event.code === "AltRight") this.#altRight = down;
    if (this.holding) this.#last = event.time;
    return { hold: false };
  }

  #digit(event) {
    this.#digits += event.code.at(-1);
    if (this.holding) this.#last = event.time;
    return { hold: false };
  }

  #up(event) {
    if (isModifier(event)) {
      const held = this.holding;
      this.#modifier(event, false);
      if (event.key !== "Alt" || !this.#digits) return { hold: held && event.key === "Alt" };
      const stroke = strokeOfNumber(this.#digits, event.time);
      this.#digits = "";
      this.#numberAt = event.time;
      return this.#stroke(stroke, characterOf(stroke, this.#settings));
    }
    // A scanner lets go of a key at once; a human's finger stays on it, and says nothing here.
    if (this.holding && event.time - (this.#downs.get(event.code) ?? -Infinity) <= this.#settings.gap) this.#last = event.time;
    this.#downs.delete(event.code);
    return { hold: false };
  }

  #stroke(stroke, character) {
    const end = this.#endOf(character);
    if (end && this.#written) return this.#endInput(end, stroke.time);
    // A key that says which it is: what was written before it came from something else.
    this.#written = null;
    if (!this.holding) {
      if (end && stroke.time - this.#ended <= this.#settings.gap) {
        this.#ended = stroke.time;
        return { hold: true };
      }
      return this.#begin(stroke, character);
    }
    if (end) return this.#end(end, stroke.time);
    if (character === null && this.#strokes.length < FEWEST && !this.#settings.anyKey) return { hold: false, outcomes: this.#typed() };
    this.#last = stroke.time;
    this.#strokes.push(stroke);
    if (this.#strokes.length > LONGEST || !this.#keepsPrefix()) return { hold: true, outcomes: this.#typed() };
    return { hold: true };
  }

  #endOf(character) {
    const end = ENDS[character];
    return end === "tab" && this.#settings.suffix === "enter" ? undefined : end;
  }

  #begin(stroke, character) {
    const afterDead = this.#composing;
    this.#composing = false;
    const { prefix } = this.#settings;
    const may = prefix ? character === prefix[0] : this.#settings.anyKey || beginsScan(stroke, character);
    if (!may || afterDead) {
      if (character !== null && character >= " ") this.#typedAt = stroke.time;
      return { hold: false };
    }
    this.#isRest = !prefix && stroke.time - this.#typedAt <= SILENCE_BEFORE;
    const dead = stroke.key === "Dead";
    this.#strokes = [dead ? { ...stroke, passed: true } : stroke];
    this.#last = stroke.time;
    return { hold: !dead };
  }

  #keepsPrefix() {
    const { prefix } = this.#settings;
    if (!prefix || this.#strokes.length > prefix.length) return true;
    return this.#strokes.every((stroke, n) => characterOf(stroke, this.#settings) === prefix[n]);
  }

  #end(suffix, time) {
    if (this.#length() < FEWEST || this.#isRest) return { hold: false, outcomes: this.#typed() };
    this.#ended = time;
    this.#hasEnds = true;
    return { hold: true, outcomes: this.#scanned(suffix) };
  }

  #scanned(suffix) {
    const strokes = this.#strokes;
    this.#strokes = [];
    return [{ kind: "scan", texts: codesIn(textOf(strokes, this.#settings), this.#settings.prefix), strokes, suffix }];
  }

  #typed() {
    const strokes = this.#strokes;
    this.#strokes = [];
    if (!strokes.length) return [];
    this.#typedAt = strokes.at(-1).time;
    this.#composing = strokes.at(-1).key === "Dead" && Boolean(strokes.at(-1).passed);
    return [{ kind: "typing", strokes }];
  }

  /** Text that arrives without keys that say anything: Android's keyboards, and what the system makes of Alt and a number. */
  #input(event) {
    if (event.time - this.#numberAt <= INPUT_GAP && (event.data ?? "").length <= 1) {
      this.#numberAt = -Infinity;
      return { hold: this.holding || event.time - this.#ended <= INPUT_GAP };
    }
    const lineEnd = event.inputType === "insertLineBreak" || event.inputType === "insertParagraph";
    if (lineEnd) return this.#written ? this.#endInput("enter", event.time) : { hold: false };
    const arrived = event.inputType === "insertText" || event.inputType === "insertCompositionText";
    if (!arrived || !event.data || !(this.#lastKey.opaque || event.time - this.#lastKey.time > 5)) {
      if (event.inputType !== "insertText" || this.#lastKey.opaque) this.#written = null;
      return { hold: false };
    }
    return this.#write(event);
  }

  #write(event) {
    const composed = event.inputType === "insertCompositionText";
    const begins = this.#written === null;
    const before = this.#written ?? { base: "", text: "", pieces: 0, composed: false, torn: false, last: event.time };
    const base = composed && before.composed ? before.base : before.text;
    const text = base + event.data;
    const torn = before.torn || event.time - before.last > this.#textGap();
    this.#written = { base, text, pieces: before.pieces + 1, composed, torn, last: event.time };
    const [first, end] = text.split(/([\r\n\t])/);
    if (end && this.#endOf(end)) {
      this.#written.text = first;
      return { ...this.#endInput(this.#endOf(end), event.time), begins };
    }
    return { hold: false, begins };
  }

  #endInput(suffix, time) {
    const { text, torn, last } = this.#written;
    const { prefix } = this.#settings;
    if (torn || time - last > this.#textGap() || text.length - prefix.length < FEWEST || !text.startsWith(prefix)) {
      this.#written = null;
      return { hold: false };
    }
    this.#ended = time;
    this.#hasEnds = true;
    return { hold: true, outcomes: this.#scannedText(suffix) };
  }

  /** A word that a telephone's keyboard completed arrives in one piece too: it is a scan only where none has an end. */
  #quietInput() {
    const { text, pieces, torn } = this.#written;
    const { suffix, prefix } = this.#settings;
    const long = !torn && text.length >= CERTAIN && text.startsWith(prefix);
    if (long && (pieces >= CERTAIN ? this.#mayEndSilently() : suffix === "none" && /[0-9]/.test(text))) {
      return this.#scannedText(null);
    }
    this.#written = null;
    return [];
  }

  #scannedText(suffix) {
    const { text } = this.#written;
    this.#written = null;
    return [{ kind: "scan", texts: codesIn(text, this.#settings.prefix), strokes: [], suffix, restore: true }];
  }
}

/** A blank, a shortcut and a function key alone are a human's. */
function beginsScan(stroke, character) {
  return character !== null && character > " " && !/^(Control|Alt|Meta)\+/.test(stroke.signature);
}

/**
 * Runs a recording through a decoder.
 * @param {KeyEvent[]} events
 * @param {object} [settings]
 * @returns {{scans: string[], typed: string, held: boolean[], outcomes: Outcome[]}}  `typed`: what a field would hold
 */
export function decode(events, settings = UNTAUGHT) {
  const decoder = new Decoder(settings);
  const outcomes = [];
  const held = [];
  for (const event of events) {
    const taken = decoder.take(event);
    held.push(taken.hold);
    outcomes.push(...taken.outcomes);
    if (!taken.hold && event.kind === "down" && !event.ctrlKey && !event.altKey && event.key.length === 1) {
      outcomes.push({ kind: "typing", strokes: [{ key: event.key }] });
    }
  }
  if (decoder.deadline !== null) outcomes.push(...decoder.quiet());
  const typing = outcomes.filter((outcome) => outcome.kind === "typing").flatMap((outcome) => outcome.strokes);
  return {
    scans: outcomes.filter((outcome) => outcome.kind === "scan").flatMap((outcome) => outcome.texts),
    typed: typing.filter((stroke) => stroke.key !== "Dead").map((stroke) => stroke.key).join(""),
    held,
    outcomes,
  };
}

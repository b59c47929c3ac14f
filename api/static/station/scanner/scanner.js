/**
 * Listens to a scanner that types: `listen(field, ({text, how}) => ...)`. Whatever has the focus, also in a dialog, a scan
 * goes to the page and never into a field; what a human types goes where it was meant.
 *
 * Keys are met in the capture phase on `window`, before anything else sees them. What was held and turns out to be typing is
 * played again: an event for the page's own keys, then the character into the field. A scan of the set-up code teaches the
 * scanner, on whatever page it is scanned; the page is told by the event `scannerlearnt` on `window`.
 */

import { Decoder } from "./decode.js";
import { isPrintable } from "./keys.js";
import { isSetUp, learn, mayBeSetUp } from "./learn.js";
import { load, save, whenChanged } from "./settings.js";
import { normalised } from "./text.js";

const listeners = [];
const ears = new Set();

// From the moment this is loaded, so that these come before any other listener of the page, whenever that began.
for (const name of ["keydown", "keyup", "beforeinput", "pointerdown", "blur", "pagehide"]) {
  window.addEventListener(name, (event) => ears.forEach((ear) => ear.hear(event)), { capture: true });
}

let ear = null;

/**
 * Calls back for each scan, and for what is typed into the target and ended with Enter.
 *
 * Of several that listen, the last that began gets the scans, until it stops.
 * @param {EventTarget} target  the field people type into; anything else: only scans are heard
 * @param {(scan: {text: string, how: "scanned"|"typed"}) => void} onScan
 * @param {object} [settings]  as `decode.js` takes them; without: what this browser knows, also when that changes
 * @returns {() => void} stops listening
 */
export function listen(target, onScan, settings) {
  const entry = { onScan, settings };
  listeners.push(entry);
  attune();
  const typed = (event) => typedInto(event, target, onScan);
  const isField = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
  if (isField) target.addEventListener("keydown", typed);
  return () => {
    if (!listeners.includes(entry)) return;
    listeners.splice(listeners.indexOf(entry), 1);
    if (isField) target.removeEventListener("keydown", typed);
    attune();
  };
}

function attune() {
  ear?.stop();
  const entry = listeners.at(-1);
  ear = entry ? new Ear(entry) : null;
}

function typedInto(event, field, onScan) {
  if (event.key !== "Enter" || event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
  const text = normalised(field.value);
  if (!text) return;
  event.preventDefault();
  field.value = "";
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  onScan({ text, how: "typed" });
}

/**
 * The ear of a page: DOM events in, `onScan` out. `watch`, if given, is told of each event and outcome (the page that sets
 * a scanner up shows them).
 */
export class Ear {
  #options;
  #decoder;
  #timer = null;
  #own = new WeakSet();
  #inserting = false;
  #kept = null;
  #forget;

  /** @param {{onScan: Function, settings?: object, watch?: {event?: Function, outcome?: Function}}} options */
  constructor(options) {
    this.#options = options;
    this.#decoder = new Decoder(options.settings ?? load());
    this.#forget = options.settings ? () => {} : whenChanged((settings) => this.attune(settings));
    ears.add(this);
  }

  /** Takes an event of the page. */
  hear(event) {
    if (event.type === "keydown") this.#key(event, "down");
    else if (event.type === "keyup") this.#key(event, "up");
    else if (event.type === "beforeinput") this.#input(event);
    else if (event.type !== "blur" || event.target === window) this.#release();
  }

  /** Hears by other settings from now on. */
  attune(settings) {
    this.#release();
    this.#decoder = new Decoder(settings);
  }

  /** Hears nothing more. */
  stop() {
    this.#release();
    clearTimeout(this.#timer);
    this.#forget();
    ears.delete(this);
  }

  #key(event, kind) {
    // An untrusted keydown without code is the browser filling in a form.
    if (this.#own.has(event) || typeof event.code !== "string") return;
    this.#take(event, {
      kind,
      time: event.timeStamp,
      key: event.key,
      code: event.code,
      keyCode: event.keyCode,
      shiftKey: event.shiftKey,
      ctrlKey: event.ctrlKey,
      altKey: event.altKey,
      metaKey: event.metaKey,
      altGraph: event.getModifierState("AltGraph"),
      capsLock: event.getModifierState("CapsLock"),
      repeat: event.repeat,
      isComposing: event.isComposing,
      origin: event,
    });
  }

  #input(event) {
    if (this.#inserting) return;
    this.#take(event, { kind: "input", time: event.timeStamp, data: event.data, inputType: event.inputType });
  }

  #take(event, plain) {
    const taken = this.#decoder.take(plain);
    if (taken.begins) this.#keep(event.target);
    if (taken.hold) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    this.#options.watch?.event?.(plain, taken.hold);
    this.#meet(taken.outcomes);
    this.#wait();
  }

  #wait() {
    clearTimeout(this.#timer);
    const { deadline } = this.#decoder;
    if (deadline !== null) this.#timer = setTimeout(() => this.#quiet(deadline), Math.max(1, deadline - performance.now() + 1));
  }

  /** A page that was busy gets the keys that waited before it hears that nothing came. */
  #quiet(deadline) {
    if (performance.now() - deadline > 15) {
      this.#timer = setTimeout(() => this.#stillQuiet(deadline), 10);
    } else {
      this.#stillQuiet(deadline);
    }
  }

  #stillQuiet(deadline) {
    if (this.#decoder.deadline === deadline) this.#meet(this.#decoder.quiet());
    this.#wait();
  }

  #release() {
    this.#meet(this.#decoder.release());
  }

  #meet(outcomes) {
    for (const outcome of outcomes) {
      if (outcome.restore) this.#restore();
      if (outcome.kind === "typing") this.#giveBack(outcome.strokes);
      this.#options.watch?.outcome?.(outcome);
      if (outcome.kind === "scan" && !this.#learnt(outcome)) {
        for (const text of outcome.texts.filter((each) => !isSetUp(each))) this.#options.onScan({ text, how: "scanned" });
      }
    }
  }

  #learnt({ strokes, suffix }) {
    if (this.#options.settings || !mayBeSetUp(strokes)) return false;
    const learnt = learn(strokes, suffix);
    if (!learnt) return false;
    const kept = save(learnt.settings);
    this.attune(learnt.settings);
    window.dispatchEvent(new CustomEvent("scannerlearnt", { detail: { ...learnt, kept } }));
    return true;
  }

  #keep(field) {
    this.#kept = "value" in field ? { field, value: field.value, at: field.selectionStart } : { field, text: field.textContent };
  }

  /** Takes a scan out of the field that it was written into, now and once more when the browser has done its own part. */
  #restore() {
    const kept = this.#kept;
    this.#kept = null;
    if (!kept) return;
    const undo = () => {
      if ("text" in kept) {
        if (kept.field.textContent !== kept.text) kept.field.textContent = kept.text;
      } else if (kept.field.value !== kept.value) {
        kept.field.value = kept.value;
        kept.field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      }
    };
    undo();
    queueMicrotask(undo);
    setTimeout(undo, 0);
  }

  #giveBack(strokes) {
    for (const stroke of strokes) {
      if (!stroke.passed) this.#playAgain(stroke);
    }
  }

  #playAgain(stroke) {
    const origin = stroke.event?.origin;
    if (origin) {
      const again = new KeyboardEvent("keydown", {
        bubbles: true, cancelable: true, composed: true,
        key: origin.key, code: origin.code, keyCode: origin.keyCode, which: origin.keyCode, location: origin.location,
        shiftKey: origin.shiftKey, ctrlKey: origin.ctrlKey, altKey: origin.altKey, metaKey: origin.metaKey,
        modifierAltGraph: origin.getModifierState("AltGraph"), modifierCapsLock: origin.getModifierState("CapsLock"),
      });
      this.#own.add(again);
      const target = origin.target instanceof Node && origin.target.isConnected ? origin.target : document.activeElement ?? document.body;
      if (!target.dispatchEvent(again)) return;
    }
    if (isPrintable(stroke.key) && !/^(Control|Alt|Meta)\+/.test(stroke.signature)) this.#insert(stroke.key);
  }

  #insert(text) {
    const focused = document.activeElement;
    if (focused instanceof HTMLSelectElement) {
      choose(focused, text);
      return;
    }
    this.#inserting = true;
    try {
      // The one way that keeps the field's own undo and tells the page as typing does.
      // A caret that was left behind, in a window that is closed now, makes it do nothing.
      if (!document.execCommand("insertText", false, text)) {
        putCaretInto(focused);
        document.execCommand("insertText", false, text);
      }
    } finally {
      this.#inserting = false;
    }
  }
}

/** The caret into a field of text that has the focus, behind what stands there. */
function putCaretInto(focused) {
  if (typeof focused?.selectionStart === "number") focused.setSelectionRange(focused.value.length, focused.value.length);
}

/** What a browser does with a letter typed over a list of choices. */
function choose(list, letter) {
  const options = [...list.options];
  const after = [...options.slice(list.selectedIndex + 1), ...options.slice(0, list.selectedIndex + 1)];
  const wanted = after.find((option) => !option.disabled && option.text.toLowerCase().startsWith(letter.toLowerCase()));
  if (!wanted || wanted.selected) return;
  wanted.selected = true;
  for (const name of ["input", "change"]) list.dispatchEvent(new Event(name, { bubbles: true }));
}

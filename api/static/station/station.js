/**
 * The station's shell: one field that always has the focus, modes with a key each, one answer that everybody sees and hears.
 *
 * A mode is a module in `modes/` that is listed in `modes/all.js`:
 *
 *     export const issue = {
 *       name: "issue",              // unique; what is kept of it stands under this name
 *       key: "F2",                  // switches to it
 *       command: "SPDOISSUE",       // the printed code that does (also in api/pages/station.py)
 *       icon: "↗",
 *       title: () => say("Issue"),
 *       open: (stage) => new IssueSession(stage),
 *     };
 *
 * It may have `load`: a promise that is waited for before `open`, of a script that the first load leaves out (`modes/lists.js`).
 *
 * A session has, all but `scan` optional:
 *
 *     scan({text, how})     a scan or a typed text; scans are handed over one after another, a promise is waited for
 *     prompt()              what the field asks for now
 *     suggest(text)         a promise of weapons that may be meant by a text half typed; null: suggest nothing
 *     confirm()             F10, or its printed code
 *     remove()              Delete on the empty field: takes the current line away
 *     undo()                Ctrl+Z on the empty field: takes back the last document
 *     clear()               begins anew
 *     move(step)            arrow up (-1) and down (1) on the empty field
 *     condition(which)      arrow right on the empty field (which null: the next), or a printed code
 *     key(event)            any other key; true: it was one of its keys
 *     keys()                [[key, what it does], ...] for the help
 *     close()               another mode is opened; what must survive was kept before
 *
 * The stage that it gets:
 *
 *     stage.view            the element that is the session's to fill
 *     stage.service         everything that is asked of the service (`service.js`); nothing else may fetch
 *     stage.counter         {site, site_name, role, name, book, stores}
 *     stage.store           the store that the clerk works in
 *     stage.kept            what was kept before a reload; {} at first
 *     stage.keep(state)     keeps it, at once; what was scanned is never only on the screen
 *     stage.keepPart(part, state), parts(), forgetParts()     the same of a long list, in parts: only what changed is written (`long_list.js`)
 *     stage.tell({severity, title, words, choices})   shows, says and sounds an answer ("ready", "attention", "stop", "posted"; nothing:
 *                           takes the last one away). `choices`: [{name, words, pick()}], taken by pressing them or by their digit
 *     stage.refresh()       the prompt or the buttons have changed: calls the session's own refresh(), which adds the buttons
 *     stage.enqueue(act, about)     does something after what was scanned before; what goes wrong is told
 *     stage.action(words, key, press, attributes)     a button at the foot of the page; all are made anew at each refresh()
 */

import { commandOf } from "./commands.js";
import { ask, cancelDialog, confirmDialog, dialogOpen } from "./dialogs.js";
import { button, element } from "./elements.js";
import { Field } from "./field.js";
import { ICONS } from "./lines.js";
import { MODES } from "./modes/all.js";
import { startOffline } from "./offline/start.js";
import { listen } from "./scanner/scanner.js";
import { NoAnswer, onLink, service } from "./service.js";
import { muted, sound, toggleMuted } from "./sound.js";
import { applyTheme, nextTheme } from "./themes.js";
import { inItsDirection, loadWords, say, useTimeZone } from "./words.js";

const KEPT = "stockpile.station.";
const STORE = "stockpile.station.store";
const DIGIT_STANDS_ALONE = 350;

/** The names under which the parts of a long list are kept, in their order. */
function partsOf(kept) {
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(`${kept}#`));
  return names.sort((one, other) => Number(one.split("#")[1]) - Number(other.split("#")[1]));
}

/** The page's parts, by their ids. */
const at = (id) => document.getElementById(id);

class Station {
  constructor(counter, books) {
    this.counter = counter;
    useTimeZone(counter.time_zone);
    this.books = books;
    this.queue = Promise.resolve();
    this.waiting = 0;
    this.choices = [];
    this.field = new Field(at("scan"), at("suggestions"), {
      suggest: (text) => this.session?.suggest?.(text) ?? null,
      pick: (weapon) => this.take({ text: weapon.asset_tag, how: "typed" }),
      typed: () => this._digit(),
    });
  }

  /** Builds the bar and the modes, and opens the one that was open before. */
  start() {
    this._bar();
    listen(this.field.input, (scan) => this.take(scan));
    document.addEventListener("keydown", (event) => this._key(event));
    document.addEventListener("click", () => this._focus());
    window.addEventListener("focus", () => this._focus());
    const before = sessionStorage.getItem(`${KEPT}mode`);
    this.open(MODES.find((mode) => mode.name === before) || MODES[0]);
  }

  /** Opens a mode, after what was scanned before. What stands in the one before is kept, and there again when it is opened. */
  open(mode) {
    this._enqueue(() => this._open(mode), mode.title());
  }

  async _open(mode) {
    if (mode.load && !(await this._loaded(mode))) return;
    this.session?.close?.();
    this.mode = mode;
    this.session = null;
    sessionStorage.setItem(`${KEPT}mode`, mode.name);
    at("answer").replaceChildren();
    at("answer").className = "answer";
    this.choices = [];
    at("view").replaceChildren();
    for (const one of MODES) at(`mode-${one.command}`).setAttribute("aria-pressed", String(one === mode));
    at("mode-title").textContent = mode.title();
    this.session = mode.open(this._stage(mode));
    this._focus();
  }

  /** Whether the mode's script came; without it the mode before stays open. */
  async _loaded(mode) {
    try {
      await mode.load();
      return true;
    } catch {
      if (!this.session) await this._open(MODES[0]);
      this._tell({ severity: "stop", title: mode.title(), words: say("It could not be loaded: the service does not answer. Try again.") });
      return false;
    }
  }

  /** Takes a scan: a printed command at once, everything else after what came before it. */
  take(scan) {
    this.field.clear();
    const command = commandOf(scan.text, MODES);
    if (command) return this._command(command);
    if (dialogOpen()) {
      this._tell({ severity: "attention", title: scan.text, words: say("Not taken: finish or close the window first.") });
      return;
    }
    if (/^[1-9]$/.test(scan.text) && this._choose(Number(scan.text))) return;
    this._enqueue(() => this.session.scan(scan), scan.text);
  }

  _enqueue(act, about) {
    this.waiting += 1;
    this._busy();
    this.queue = this.queue
      .then(act)
      .catch((problem) => this._problem(problem, about))
      .finally(() => {
        this.waiting -= 1;
        this._busy();
        this._refresh();
      });
  }

  _busy() {
    document.body.dataset.waiting = this.waiting;
  }

  _problem(problem, about) {
    if (!(problem instanceof Error) || problem.name === "TypeError") console.error(problem);
    const words = problem instanceof NoAnswer ? say("No answer from the service. Try again.") : problem.message;
    this._tell({ severity: "stop", title: about, words });
  }

  _command({ command, mode }) {
    if (dialogOpen()) {
      if (command === "confirm") confirmDialog();
      if (command === "cancel") cancelDialog();
      return;
    }
    if (command === "mode") this.open(mode);
    else if (command === "help") this._help();
    else if (command === "serviceable" || command === "unserviceable") this.session?.condition?.(command);
    else if (command === "cancel") this._tell({});
    else this._enqueue(() => this.session?.[command]?.(), say("Command"));
  }

  _stage(mode) {
    const kept = `${KEPT}${this.counter.site}.${mode.name}`;
    const keep = (name, state) => {
      sessionStorage.setItem(name, JSON.stringify(state));
      this.books?.keepList(name, state);
    };
    return {
      view: at("view"),
      service,
      counter: this.counter,
      kept: JSON.parse(sessionStorage.getItem(kept) || "{}"),
      keep: (state) => keep(kept, state),
      keepPart: (part, state) => keep(`${kept}#${part}`, state),
      parts: () => partsOf(kept).map((name) => JSON.parse(sessionStorage.getItem(name)) || []),
      forgetParts: () => {
        for (const name of partsOf(kept)) {
          sessionStorage.removeItem(name);
          this.books?.keepList(name, null);
        }
      },
      tell: (answer) => this._tell(answer),
      refresh: () => this._refresh(),
      action: (words, key, press, attributes) => this._action(words, key, press, attributes),
      enqueue: (act, about) => this._enqueue(act, about),
      get store() {
        return at("store").value || null;
      },
    };
  }

  _action(words, key, press, attributes = {}) {
    at("actions").append(button(words, key, press, attributes));
  }

  _refresh() {
    at("actions").replaceChildren();
    this.session?.refresh?.();
    this.field.prompt(this.session?.prompt?.() || say("Scan or type"));
  }

  _tell({ severity, title, words, choices = [], icon = ICONS[severity] || ICONS.ready, sound: heard = severity }) {
    this.choices = choices;
    const answer = at("answer");
    answer.className = `answer ${severity || ""}`;
    if (!severity) return answer.replaceChildren();
    answer.replaceChildren(
      element("span", { class: "icon", "aria-hidden": "true" }, icon),
      element("p", {}, element("strong", {}, title), words ? element("span", { class: "words" }, words) : null),
      ...(choices.length ? [this._choices(choices)] : []),
    );
    answer.scrollIntoView({ block: "nearest" });
    sound(heard);
  }

  _choices(choices) {
    const item = (choice, n) =>
      element(
        "li",
        {},
        button(choice.name, String(n + 1), () => this._choose(n + 1), { class: "choice" }),
        choice.words ? element("span", { class: "words" }, choice.words) : null,
      );
    return element("ol", { class: "choices", "aria-label": say("Choose") }, ...choices.map(item));
  }

  _choose(n) {
    const choice = this.choices[n - 1];
    if (!choice) return false;
    this.choices = [];
    this._tell({});
    this._enqueue(() => choice.pick(), choice.name);
    return true;
  }

  /** A digit that stands alone in the field chooses; one that begins a scan or a number is followed at once by more. */
  _digit() {
    clearTimeout(this.alone);
    if (!this.choices.length || !/^[1-9]$/.test(this.field.text)) return;
    this.alone = setTimeout(() => {
      if (/^[1-9]$/.test(this.field.text) && this._choose(Number(this.field.text))) this.field.clear();
    }, DIGIT_STANDS_ALONE);
  }

  _key(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (dialogOpen()) {
      if (event.key === "F10") this._now(event, () => event.repeat || confirmDialog());
      return;
    }
    const mode = MODES.find((one) => one.key === event.key);
    if (event.key === "F1") this._now(event, () => this._help());
    else if (mode) this._now(event, () => this.open(mode));
    else if (event.key === "F10") this._now(event, () => event.repeat || this._command({ command: "confirm" }));
    else if (this.field.empty && this._onEmptyField(event)) event.preventDefault();
    else if (this.session?.key?.(event)) event.preventDefault();
    else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) this._toField(event);
  }

  _now(event, act) {
    event.preventDefault();
    act();
  }

  _onEmptyField(event) {
    if (event.target instanceof HTMLSelectElement || event.altKey || event.metaKey) return false;
    if (event.ctrlKey) {
      if (event.key !== "z" && event.key !== "Z") return false;
      this._command({ command: "undo" });
      return true;
    }
    if (event.key === "Delete") this._command({ command: "remove" });
    else if (event.key === "ArrowDown") this.session?.move?.(1);
    else if (event.key === "ArrowUp") this.session?.move?.(-1);
    else if (event.key === "ArrowRight") this.session?.condition?.(null);
    else if (event.key === "Escape") this._tell({});
    else return false;
    return true;
  }

  /** What is typed while a button has the focus goes to the field. */
  _toField(event) {
    const { target } = event;
    if (target === this.field.input || target instanceof HTMLSelectElement) return;
    if (event.key === " " && target instanceof HTMLButtonElement) return;
    this.field.focus();
  }

  _focus() {
    if (!dialogOpen() && !(document.activeElement instanceof HTMLSelectElement)) this.field.focus();
  }

  _bar() {
    const { counter } = this;
    at("site").textContent = counter.site;
    at("site").title = counter.site_name;
    at("name").textContent = inItsDirection(counter.name);
    at("role").textContent = say(counter.role);
    at("book").textContent = say("book {book}", { book: counter.book });
    this._stores();
    at("modes").append(
      ...MODES.map((mode) =>
        button(mode.title(), mode.key, () => this.open(mode), { id: `mode-${mode.command}`, "aria-pressed": "false" }),
      ),
    );
    onLink((answers) => this._link(answers));
    window.addEventListener("offline", () => this._link(false));
    window.addEventListener("online", () => service.counter().catch(() => null));
    at("help").addEventListener("click", () => this._help());
    at("theme").addEventListener("click", () => nextTheme());
    at("mute").addEventListener("click", () => this._sayMuted(toggleMuted()));
    at("keyboard").addEventListener("click", () => this.field.toggleKeyboard());
    this._sayMuted(muted());
    this._link(true);
  }

  _stores() {
    const select = at("store");
    select.replaceChildren(...this.counter.stores.map((name) => element("option", { value: name }, name)));
    const before = localStorage.getItem(STORE);
    if (this.counter.stores.includes(before)) select.value = before;
    select.addEventListener("change", () => {
      localStorage.setItem(STORE, select.value);
      this.session?.storeChanged?.();
      select.blur();
      this._focus();
    });
  }

  _link(answers) {
    at("link").textContent = answers ? say("Online") : say("No answer");
    at("link").className = answers ? "link online" : "link offline";
  }

  _sayMuted(off) {
    at("mute").setAttribute("aria-pressed", String(off));
  }

  _help() {
    const shell = [
      ["F1", say("This help")],
      ...MODES.map((mode) => [mode.key, mode.title()]),
      ["F10", say("Confirm")],
      ["Delete", say("Remove the current line")],
      ["↑ ↓", say("Another line")],
      ["Ctrl+Z", say("Undo the last document")],
      ["Ctrl+P", say("Print its paper")],
      ["1 … 9", say("Choose what was meant")],
      ["Esc", say("Close, or take the answer away")],
    ];
    const rows = [...shell, ...(this.session?.keys?.() || [])];
    const list = element("dl", { class: "keys" });
    for (const [key, words] of rows) list.append(element("dt", {}, element("kbd", {}, key)), element("dd", {}, words));
    const leads = [
      ["/station/commands", say("Print these as codes to scan")],
      ["/station/scanner", say("Set up the scanner")],
      ["/station/device", say("Work without the link")],
    ];
    const links = leads.map(([href, words]) => element("a", { href, target: "_blank", class: "to-page" }, words));
    ask({ title: say("Keys"), body: [list, element("p", { class: "leads" }, ...links)], wide: true });
  }
}

async function begin() {
  applyTheme();
  await loadWords();
  try {
    const books = await startOffline(service, document.querySelector("header"));
    new Station(await service.counter(), books).start();
  } catch (problem) {
    const words = problem instanceof NoAnswer ? say("The service does not answer. Load the page again.") : problem.message;
    at("answer").className = "answer stop";
    at("answer").textContent = words;
  }
}

begin();

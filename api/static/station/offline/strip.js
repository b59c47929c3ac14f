/**
 * What the station shows of its books at all times: whether the service answers, how many vouchers are not sent, how old the books are,
 * a clock that is off, what could not be kept, a new version; and the question who works here when the link is down.
 */

import { ask, cancelDialog, dialogOpen } from "../dialogs.js";
import { button, element } from "../elements.js";
import { say, sayMoment, useTimeZone } from "../words.js";
import { register } from "./registration.js";

const PROBLEMS = {
  unknown: () => say("Nobody of this number was signed in here with the link in the last days."),
  "no pin": () => say("This person set no PIN for this device: it is set while the link is up."),
  wait: () => say("Too many wrong PINs. Wait a quarter of an hour, or let somebody else go on."),
  wrong: () => say("The PIN is wrong."),
};

/**
 * Shows the state of the books in a strip, and keeps it up to date.
 * @param {import("./books.js").Books} books
 * @param {HTMLElement} place after which the strip goes
 */
export function showStrip(books, place) {
  document.head.append(element("link", { rel: "stylesheet", href: "/static/station/offline/offline.css" }));
  const strip = element("div", { class: "books-strip", id: "books-strip" });
  const trouble = element("div", { class: "books-trouble", role: "alert" });
  place.after(element("section", { class: "books", "aria-label": say("Books of this station") }, strip, trouble));
  let takeOver = null;
  const show = () => {
    if (books.state.enrolled) useTimeZone(books.state.enrolled.time_zone);
    const parts = books.state.enrolled ? told(books) : [];
    if (takeOver) parts.push(button(say("New version ready: load it"), null, takeOver, { class: "books-new" }));
    strip.replaceChildren(...parts);
    strip.hidden = !parts.length;
    const link = document.getElementById("link");
    if (link) link.hidden = Boolean(books.state.enrolled);
    document.body.dataset.notSent = books.state.waiting;
    showTrouble(books, trouble);
  };
  books.addEventListener("change", show);
  show();
  if (books.state.enrolled) {
    register((load) => {
      takeOver = load;
      show();
    }).catch((problem) => console.warn("The station will not start without a network:", problem.message));
  }
}

function told(books) {
  const { state } = books;
  const parts = [
    element("span", { class: state.up ? "books-up" : "books-down", role: "status" }, state.up ? say("Link up") : say("Link down: written here")),
    element("a", { href: "/station/device", class: state.waiting ? "books-waiting" : "books-sent", id: "not-sent" }, say("{n} not sent", { n: state.waiting })),
  ];
  if (state.setAside) parts.push(element("a", { href: "/station/device", class: "books-aside" }, say("{n} set aside", { n: state.setAside })));
  if (!state.up && state.asOf) parts.push(element("span", { class: "books-age" }, say("books of {moment}", { moment: sayMoment(state.asOf) })));
  if (!state.up && !state.locked) parts.push(button(say("Lock"), null, () => books.lock(), { class: "books-lock" }));
  if (!state.writer) parts.push(element("span", { class: "books-aside" }, say("Open in another window: this one only reads")));
  if (state.up && !state.signedIn && state.waiting) parts.push(element("a", { href: "/sign-in", class: "books-aside" }, say("Sign in to send them")));
  if (state.up && state.signedIn && !state.pinSet) {
    parts.push(element("a", { href: "/station/device", class: "books-aside" }, say("Set your PIN for when the link is down")));
  }
  if (state.revoked) parts.push(element("span", { class: "books-aside" }, say("This device was revoked")));
  if (books.clockIsOff) parts.push(element("span", { class: "books-aside" }, clockWords(state.clockOffset)));
  return parts;
}

/** @param {number} seconds @returns {string} */
export function clockWords(seconds) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  return seconds > 0
    ? say("This clock is {minutes} min fast: set it", { minutes })
    : say("This clock is {minutes} min slow: set it", { minutes });
}

function showTrouble(books, place) {
  const { trouble } = books.state;
  if (!trouble) {
    place.replaceChildren();
    return;
  }
  if (place.dataset.told === trouble && place.childNodes.length) return;
  place.dataset.told = trouble;
  place.replaceChildren(
    element("p", {}, trouble),
    books.state.waiting ? button(say("Save what is not sent to a file"), null, () => saveFile(books)) : "",
  );
}

/**
 * Hands the vouchers over as a file.
 * @param {import("./books.js").Books} books
 * @param {boolean} everything also what was acknowledged
 */
export async function saveFile(books, everything = false) {
  const { site, book } = books.state.enrolled;
  const address = URL.createObjectURL(await books.file(everything));
  const day = new Date().toISOString().slice(0, 16).replace(/[:T]/g, "-");
  element("a", { href: address, download: `vouchers-${site}-${book}-${day}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/**
 * Asks who works here until somebody who may go on says so, or the service answers.
 * @param {import("./books.js").Books} books
 * @returns {Promise<void>}
 */
export async function askWho(books) {
  const code = element("input", { id: "unlock-code", autocomplete: "off", autocapitalize: "characters", required: true });
  const pin = element("input", { id: "unlock-pin", type: "password", inputmode: "numeric", autocomplete: "off", required: true });
  const problem = element("p", { class: "books-problem", role: "alert" });
  const known = await books.recent();
  const attempt = async () => {
    problem.textContent = say("One moment ...");
    const why = await books.unlock(code.value, pin.value);
    pin.value = "";
    if (why) problem.textContent = PROBLEMS[why]();
    else cancelDialog();
  };
  const opened = () => books.state.locked || cancelDialog();
  books.addEventListener("change", opened);
  for (const input of [code, pin]) {
    input.addEventListener("keydown", (event) => {
      if (event.key !== "F10") event.stopPropagation();
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (input === code) pin.focus();
      else attempt();
    });
  }
  const shown = ask({
    title: say("The link is down. Who works here?"),
    body: [
      element("p", {}, known.length ? say("Badge and the PIN that you set for this device.") : say("Nobody was signed in here with the link in the last days. Go on on paper.")),
      element(
        "div",
        { class: "books-unlock" },
        element("p", {}, element("label", { for: "unlock-code" }, say("Service number")), code),
        element("p", {}, element("label", { for: "unlock-pin" }, say("PIN of this device")), pin),
        problem,
      ),
    ],
    yes: say("Go on"),
    confirm: () => void attempt(),
  });
  code.focus();
  await shown;
  books.removeEventListener("change", opened);
}

/**
 * Asks who works here whenever the books lock themselves.
 * @param {import("./books.js").Books} books
 */
export function keepWatch(books) {
  let asking = false;
  books.addEventListener("change", async () => {
    const { locked, up, enrolled } = books.state;
    if (asking || !enrolled || up || !locked || dialogOpen()) return;
    asking = true;
    await askWho(books);
    asking = false;
  });
}

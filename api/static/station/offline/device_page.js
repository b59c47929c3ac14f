/**
 * The page of this device: what it is, what it keeps, what it wrote and what became of it, who may write while the link is down; enrolling,
 * saving to a file, posting again, and giving it up. It works without the link too.
 */

import { button, element } from "../elements.js";
import { service } from "../service.js";
import { loadWords, say, sayMoment, useTimeZone } from "../words.js";
import { openOffline } from "./books.js";
import { DAYS, SHORTEST_PIN } from "./people.js";
import { NoLink } from "./queue.js";
import { register, registered } from "./registration.js";
import { clockWords, saveFile } from "./strip.js";

const SHOWN = 200;

const OBJECTIONS = {
  insecure: () => say("This page did not come over HTTPS, so the browser keeps no keys for it. See docs/https.md."),
  "no keys": () => say("This browser can't make Ed25519 keys. Take a newer one: Chromium 137, Firefox 129, Safari 17."),
  "no storage": () => say("This browser keeps nothing (a private window?), so nothing would be safe here."),
};

class DevicePage {
  constructor(books, place) {
    this.books = books;
    this.place = place;
    this.said = element("div", { class: "said", role: "status" });
    this.body = element("div", { class: "device" });
    place.replaceChildren(this.said, this.body);
    this.shows = Promise.resolve();
    books.addEventListener("change", () => this.show());
  }

  /** Shows what became different, one time after another. A form in which somebody types, or a button being pressed, stays as it is. */
  show() {
    this.shows = this.shows.catch(() => {}).then(() => this.#show());
    return this.shows;
  }

  async #show() {
    const vouchers = await this.books.vouchers();
    const people = await this.books.recent();
    const sections = this.books.state.enrolled ? this.#device(vouchers, people) : [this.#enrolment()];
    sections.forEach((section, n) => {
      const shown = this.body.children[n];
      if (!shown) this.body.append(section);
      else if (!shown.isEqualNode(section)) shown.replaceWith(section);
    });
    while (this.body.children.length > sections.length) this.body.lastChild.remove();
  }

  #enrolment() {
    const { state } = this.books;
    if (state.objection) return element("p", { class: "trouble" }, OBJECTIONS[state.objection]());
    if (state.trouble) return element("p", { class: "trouble" }, state.trouble);
    const book = element("input", { id: "book", required: true, maxlength: 12, pattern: "[A-Z0-9\\-]{1,12}", autocapitalize: "characters", autocomplete: "off" });
    const label = element("input", { id: "label", required: true, maxlength: 100, autocomplete: "off" });
    const send = (event) => {
      event.preventDefault();
      const enrol = async () => {
        await this.books.enrol(book.value.trim().toUpperCase(), label.value.trim());
        return registered();
      };
      this.#try(enrol, (starts) =>
        starts
          ? say("Enrolled. This station can now start without a network.")
          : say("Enrolled. But this station can't start without a network yet: load this page again while the link is up."),
      );
    };
    return element(
      "form",
      { class: "device-form", on: { submit: send } },
      element("h2", {}, say("Make this browser a device of your site")),
      element("p", {}, say("The site's commander, signed in here, enrols it under a book of its own. Names of the site's people and where its weapons are will then be kept in this browser: docs/offline-station.md says what protects them.")),
      state.wiped ? element("p", { class: "trouble" }, say("This browser was a device. Everything of it was taken off.")) : null,
      element("p", {}, element("label", { for: "book" }, say("Its book, such as TAB-3")), book),
      element("p", {}, element("label", { for: "label" }, say("What it is called, such as Tablet 3, north gate")), label),
      element("p", {}, element("button", { type: "submit", class: "main" }, say("Enrol"))),
    );
  }

  #device(vouchers, people) {
    return [this.#about(), this.#written(vouchers), this.#people(people), this.#ownPin(), this.#giveUp()];
  }

  #about() {
    const { state } = this.books;
    const { enrolled } = state;
    useTimeZone(enrolled.time_zone);
    const rows = [
      [say("Device"), `${enrolled.label} (${enrolled.site}/${enrolled.book})`],
      [say("Link"), state.up ? say("Up") : say("Down")],
      [say("Books of"), state.asOf ? sayMoment(state.asOf) : say("not taken along yet")],
      [say("Clock"), this.books.clockIsOff ? clockWords(state.clockOffset) : say("Right, as far as is known")],
      [say("Kept for good"), state.persisted ? say("Yes: the browser promised not to clear it") : say("Not promised: do not clear this browser's data")],
    ];
    if (state.revoked) rows.push([say("Revoked"), say("What is not sent is still taken as a fact; then everything is taken off this browser.")]);
    const list = element("dl", {}, ...rows.flatMap(([name, words]) => [element("dt", {}, name), element("dd", {}, words)]));
    return element("section", {}, element("h2", {}, say("This device")), list, state.trouble ? element("p", { class: "trouble" }, state.trouble) : null);
  }

  #written(vouchers) {
    const { waiting } = this.books.state;
    const shown = [...vouchers].reverse().slice(0, SHOWN);
    const sendNow = () => this.#try(() => this.books.send(), () => say("Sent."));
    const buttons = element(
      "div",
      { class: "buttons" },
      waiting ? button(say("Send now"), null, sendNow, { class: "main" }) : null,
      vouchers.length ? button(say("Save what is not sent to a file"), null, () => saveFile(this.books)) : null,
      vouchers.length ? button(say("Save everything to a file"), null, () => saveFile(this.books, true)) : null,
      button(say("Post again what this station acknowledged"), null, () => this.#postAgain()),
    );
    return element(
      "section",
      {},
      element("h2", { id: "not-sent" }, say("{n} not sent", { n: waiting })),
      buttons,
      shown.length ? voucherTable(shown) : element("p", {}, say("This device has written nothing yet.")),
      vouchers.length > SHOWN ? element("p", {}, say("The last {n} of {all}.", { n: SHOWN, all: vouchers.length })) : null,
    );
  }

  #people(people) {
    const rows = people.map((person) =>
      element("li", {}, `${person.name}, ${say(person.role)}: `, person.pin ? say("has a PIN here") : say("no PIN here yet")),
    );
    return element(
      "section",
      {},
      element("h2", {}, say("Who may write while the link is down")),
      element("p", {}, say("Who was signed in here with the link in the last {days} days and set a PIN for this device.", { days: DAYS })),
      rows.length ? element("ul", {}, ...rows) : null,
    );
  }

  #ownPin() {
    const pin = element("input", { id: "own-pin", type: "password", inputmode: "numeric", minlength: SHORTEST_PIN, maxlength: 12, pattern: "[0-9]+", required: true, autocomplete: "new-password" });
    const set = (event) => {
      event.preventDefault();
      const chosen = pin.value;
      pin.value = "";
      pin.blur();
      this.#try(() => this.books.setPin(chosen), () => say("Your PIN for this device is set."));
    };
    return element(
      "form",
      { class: "device-form", on: { submit: set } },
      element("p", {}, element("label", { for: "own-pin" }, say("Your PIN for this device: {n} digits or more, not the one you sign in with", { n: SHORTEST_PIN })), pin),
      element("p", {}, element("button", { type: "submit" }, say("Set my PIN"))),
    );
  }

  #giveUp() {
    const { waiting } = this.books.state;
    const saved = element("input", { type: "checkbox", id: "saved" });
    const give = () => {
      const left = this.books.state.waiting;
      if (left && !saved.checked) {
        this.#say(say("{n} vouchers are not sent. Send them, or save them to a file and say so.", { n: left }), true);
        return;
      }
      this.#try(() => this.books.unenrol(), () => say("This browser is no device any more. Everything was taken off it."));
    };
    return element(
      "section",
      {},
      element("h2", {}, say("Give this device up")),
      element("p", {}, say("The commander or a registrar, signed in here, revokes it; roster, holdings, vouchers and key are then taken off this browser.")),
      waiting ? element("p", {}, element("label", { for: "saved" }, saved, " ", say("I saved what is not sent to a file"))) : null,
      element("div", { class: "buttons" }, button(say("Give it up and wipe it"), null, give, { class: "danger" })),
    );
  }

  #postAgain() {
    this.#try(
      () => this.books.postAgain(),
      (told) => {
        const count = (became) => told.filter((one) => one.became === became).length;
        const others = told.filter((one) => one.became === "refused" || one.became === "set aside");
        const words = say("{there} were there, {posted} were posted anew, {not} could not be posted.", { there: count("there"), posted: count("posted"), not: others.length });
        return [words, ...others.slice(0, 20).map((one) => `${one.number} (${one.act}): ${one.words}`)].join("\n");
      },
    );
  }

  async #try(work, words) {
    this.#say(say("One moment ..."));
    try {
      this.#say(words(await work()));
    } catch (problem) {
      const faults = (problem.faults ?? []).map((fault) => fault.message).join(" ");
      this.#say(problem instanceof NoLink ? say("The service does not answer. Try again when the link is up.") : `${problem.message} ${faults}`, true);
    }
    document.activeElement?.blur?.();
    await this.show();
  }

  #say(words, loud = false) {
    this.said.className = loud ? "said trouble" : "said";
    this.said.replaceChildren(...words.split("\n").map((line) => element("p", {}, line)));
  }
}

/** Vouchers with what became of each. */
function voucherTable(vouchers) {
  const heading = [say("Number"), say("Act"), say("Written"), say("What became of it")].map((words) => element("th", { scope: "col" }, words));
  const rows = vouchers.map((voucher) =>
    element("tr", { "data-state": voucher.state }, element("td", {}, voucher.number), element("td", {}, say(voucher.act)), element("td", {}, sayMoment(voucher.written_at)), element("td", {}, became(voucher))),
  );
  return element("div", { class: "vouchers-shown", tabindex: "0", role: "region", "aria-label": say("Vouchers of this device") }, element("table", {}, element("thead", {}, element("tr", {}, ...heading)), element("tbody", {}, ...rows)));
}

/** What became of a voucher, in words. */
export function became({ state, outcome, number }) {
  if (state === "waiting") return say("Not sent");
  if (state === "taken back") return say("Taken back before it was sent");
  if (state === "set aside") return [say("Set aside"), outcome.detail, ...(outcome.faults ?? []).map((fault) => fault.message)].filter(Boolean).join(": ");
  const posted = outcome.number === number ? say("Posted") : say("Posted as {number}", { number: outcome.number });
  const kinds = [...new Set((outcome.discrepancies ?? []).map((one) => say(one.kind)))];
  return kinds.length ? `${posted}, ${say("with a discrepancy")}: ${kinds.join(", ")}` : posted;
}

async function begin() {
  await loadWords();
  const books = await openOffline(service);
  if (books.state.enrolled) register(() => {}).catch(() => {});
  await new DevicePage(books, document.getElementById("device-page")).show();
}

begin();

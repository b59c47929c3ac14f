/** Bringing in what a station saved to a file: its photos first, then its vouchers, and what became of each. */

import { element } from "../elements.js";
import { loadWords, say } from "../words.js";
import { NoLink, ask, batches } from "./queue.js";

const LARGEST = 64 * 1024 * 1024;

/** The vouchers of a file. @throws {Error} with words for who chose it */
function read(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error(say("This is no file of a station: it is not JSON."));
  }
  const good = file?.kind === "stockpile vouchers" && file.version === 1 && typeof file.device === "string" && Array.isArray(file.vouchers) &&
    file.vouchers.every((one) => typeof one?.payload === "string" && typeof one.signature === "string");
  if (!good) throw new Error(say("This is no file of a station: choose the one that it saved."));
  return file;
}

async function bring(file) {
  for (const content of Object.values(file.files ?? {})) {
    await ask("POST", "/v1/files?evidence=true", Uint8Array.from(atob(content), (character) => character.charCodeAt(0)).buffer);
  }
  const became = [];
  for (const some of batches(file.vouchers)) {
    const device_time = new Date(Date.now() + (file.clock_offset ?? 0) * 1000).toISOString();
    const sent = some.map(({ payload, signature }) => ({ payload, signature }));
    const answer = await ask("POST", `/v1/devices/${encodeURIComponent(file.device)}/vouchers`, { device_time, vouchers: sent });
    became.push(...answer.vouchers.map((outcome, place) => ({ number: some[place].number, ...outcome })));
  }
  return became;
}

function table(became) {
  const words = (one) => {
    if (one.became === "set aside") return `${say("Set aside")}: ${[one.problem.detail, ...(one.problem.faults ?? []).map((fault) => fault.message)].join(" ")}`;
    const kinds = [...new Set(one.posted.discrepancies.map((found) => say(found.kind)))];
    return kinds.length ? `${say("Posted")}, ${say("with a discrepancy")}: ${kinds.join(", ")}` : say("Posted");
  };
  const rows = became.map((one) => element("tr", {}, element("td", {}, one.posted?.number ?? one.number ?? "?"), element("td", {}, words(one))));
  const heading = [say("Number"), say("What became of it")].map((name) => element("th", { scope: "col" }, name));
  return element("div", { class: "vouchers-shown", tabindex: "0", role: "region", "aria-label": say("Vouchers brought in") }, element("table", {}, element("thead", {}, element("tr", {}, ...heading)), element("tbody", {}, ...rows)));
}

async function onSubmit(event) {
  event.preventDefault();
  const place = document.getElementById("became");
  const [chosen] = document.getElementById("voucher-file").files;
  place.replaceChildren(element("p", { class: "said" }, say("One moment ...")));
  try {
    if (chosen.size > LARGEST) throw new Error(say("The file is too large to be one of a station."));
    const became = await bring(read(await chosen.text()));
    const posted = became.filter((one) => one.became === "posted").length;
    const words = say("{posted} of {all} posted, {aside} set aside.", { posted, all: became.length, aside: became.length - posted });
    place.replaceChildren(element("p", { class: "said" }, words), became.length ? table(became) : "");
  } catch (problem) {
    const words = problem instanceof NoLink ? say("The service did not answer. Bring the same file again: nothing is posted twice.") : problem.message;
    place.replaceChildren(element("p", { class: "trouble" }, words));
  }
}

await loadWords();
document.getElementById("bring").addEventListener("submit", onSubmit);

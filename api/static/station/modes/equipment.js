/** What is counted, chosen by number: by itself, or with each weapon of a list. */

import { ask } from "../dialogs.js";
import { element } from "../elements.js";
import { say } from "../words.js";

/**
 * Asks how many of what. Gives null when it was cancelled, or there is nothing.
 * @param {object} stage
 * @param {{model: string, lot: string | null, quantity: number}[]} there what there is
 * @param {string} where whose it is, in words
 * @param {{model: string, lot?: string, quantity: number}[] | null} each what goes with each weapon so far; null: that is not asked
 * @returns {Promise<{each: object[], alone: object[]} | null>}
 */
export async function askEquipment(stage, there, where, each) {
  if (!there.length) {
    stage.tell({ severity: "attention", title: say("Nothing counted is at {where}", { where }), words: "" });
    return null;
  }
  const rows = there.map((one) => ({ ...one, withEach: each && field(one, chosen(each, one)), alone: field(one, "") }));
  const heads = [say("What"), say("There"), each && say("With each weapon"), each ? say("By itself") : say("How many")].filter(Boolean);
  const table = element(
    "table",
    { class: "equipment" },
    element("thead", {}, element("tr", {}, ...heads.map((words) => element("th", { scope: "col" }, words)))),
    element("tbody", {}, ...rows.map(row)),
  );
  const title = say("Equipment at {where}", { where });
  if (!(await ask({ title, body: [table], yes: say("Take"), confirm: () => true, wide: true }))) return null;
  return { each: each ? numbers(rows, "withEach") : [], alone: numbers(rows, "alone") };
}

function row(one) {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, one.lot ? `${one.model}, ${one.lot}` : one.model),
    element("td", {}, one.quantity),
    one.withEach && element("td", {}, one.withEach),
    element("td", {}, one.alone),
  );
}

function chosen(each, { model, lot }) {
  return each.find((one) => one.model === model && (one.lot || null) === lot)?.quantity || "";
}

function field(one, value) {
  return element("input", { type: "number", min: 0, max: one.quantity, value, inputmode: "numeric", "aria-label": one.model });
}

function numbers(rows, which) {
  return rows
    .filter((one) => Number(one[which].value) > 0)
    .map((one) => ({ model: one.model, quantity: Number(one[which].value), ...(one.lot ? { lot: one.lot } : {}) }));
}

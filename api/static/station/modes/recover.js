/** A weapon in the hand that the books say is missing or gone: taken into the store, with where and by whom it was found. */

import { ask } from "../dialogs.js";
import { element } from "../elements.js";
import { newKey } from "../keys.js";
import { say } from "../words.js";

/**
 * Asks where and by whom it was found, and posts the recovery. Gives whether it was posted.
 * @param {object} stage
 * @param {object} weapon
 * @returns {Promise<boolean>}
 */
export async function recover(stage, weapon) {
  const place = element("input", { id: "place", maxlength: 200, required: true });
  const foundBy = element("input", { id: "found-by", maxlength: 200, required: true });
  const given = await ask({
    title: say("Recover {name}", { name: [weapon.model, weapon.serial_number || weapon.asset_tag].join(" ") }),
    body: [
      element("p", { class: "asked" }, element("label", { for: "place" }, say("Where it was found")), place),
      element("p", { class: "asked" }, element("label", { for: "found-by" }, say("By whom")), foundBy),
    ],
    yes: say("Take it in"),
    confirm: () => {
      if (place.reportValidity() && foundBy.reportValidity()) return { place: place.value, found_by: foundBy.value };
      return undefined;
    },
  });
  if (!given) return false;
  const lines = [{ item: weapon.item_id }];
  const posted = await stage.service.confirm("recoveries", { document_id: newKey(), store: stage.store, ...given, lines });
  stage.tell({ severity: "posted", title: posted.number, words: say("Taken into {store}", { store: stage.store }) });
  return true;
}

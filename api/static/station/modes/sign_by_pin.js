/** Signing by PIN: with a one-time PIN the signer chooses an own one first, in a window. */

import { ask } from "../dialogs.js";
import { element } from "../elements.js";
import { Problem } from "../service.js";
import { say } from "../words.js";

/**
 * Signs for a document; gives the signature's id, or null where the signer chose no PIN.
 * @param {object} service
 * @param {string} documentId
 * @param {{code: string, name: string}} signer
 * @param {string} pin
 * @returns {Promise<string | null>}
 * @throws {Problem} the PIN is wrong, or there were too many wrong ones
 */
export async function signByPin(service, documentId, signer, pin) {
  const signed = { person: signer.code, pin };
  let chosen = null;
  let refused = null;
  do {
    try {
      return await service.sign(documentId, chosen ? { ...signed, new_pin: chosen } : signed);
    } catch (problem) {
      refused = newPinRefused(problem);
      if (!refused) throw problem;
    }
    chosen = await askOwnPin(signer, chosen && refused);
  } while (chosen);
  return null;
}

/** Why the service wants another new PIN; null where that is not what is wrong. */
function newPinRefused(problem) {
  const fault = problem instanceof Problem ? problem.faults.find((one) => one.field === "new_pin") : null;
  return fault ? fault.message : null;
}

function askOwnPin(signer, refused) {
  const field = (id) => element("input", { type: "password", inputmode: "numeric", autocomplete: "off", id, maxlength: 32 });
  const [pin, again] = [field("new-pin"), field("new-pin-again")];
  const fault = element("p", { class: "staying", role: "alert" }, refused || "");
  return ask({
    title: say("{name} chooses a PIN", { name: signer.name }),
    body: [
      element("p", {}, say("That PIN was for once. Six to twelve digits of your own: it is your signature, nobody else may know it.")),
      element("p", { class: "pin" }, element("label", { for: "new-pin" }, say("New PIN")), pin),
      element("p", { class: "pin" }, element("label", { for: "new-pin-again" }, say("The same again")), again),
      fault,
    ],
    yes: say("Keep it and sign"),
    confirm: () => {
      if (pin.value && pin.value === again.value) return pin.value;
      fault.textContent = pin.value ? say("These are not the same.") : say("Type a PIN.");
      return undefined;
    },
  });
}

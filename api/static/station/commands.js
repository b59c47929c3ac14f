/** Printed codes that press a key. The same codes are printed by `api/pages/station.py`. */

export const COMMANDS = {
  SPDOCONFIRM: "confirm",
  SPDOREMOVE: "remove",
  SPDOUNDO: "undo",
  SPDOCANCEL: "cancel",
  SPDOGOOD: "serviceable",
  SPDOBAD: "unserviceable",
  SPDOCLEAR: "clear",
  SPDOHELP: "help",
};

/**
 * What a scan commands, if it is a printed code: a command, or "mode" with the mode's code.
 * @param {string} text
 * @param {{command: string}[]} modes
 * @returns {{command: string, mode?: object} | null}
 */
export function commandOf(text, modes) {
  const code = text.trim().toUpperCase();
  if (code in COMMANDS) return { command: COMMANDS[code] };
  const mode = modes.find((one) => one.command === code);
  return mode ? { command: "mode", mode } : null;
}

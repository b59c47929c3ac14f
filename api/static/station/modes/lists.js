/** The modes of long lists. Their scripts are loaded when they are opened, so that the station's first load stays small. */

import { element } from "../elements.js";
import { say } from "../words.js";

let looks = null;

function style() {
  looks ??= new Promise((resolve, reject) => {
    const link = element("link", { rel: "stylesheet", href: "/static/station/lists.css", on: { load: resolve, error: reject } });
    document.head.append(link);
  }).catch((problem) => {
    looks = null;
    throw problem;
  });
  return looks;
}

/** A mode whose session is in another script: `load` comes before `open`. */
function later(mode, load) {
  let made = null;
  return {
    ...mode,
    load: async () => {
      await style();
      made ??= await load();
    },
    open: (stage) => made(stage),
  };
}

/** Receive: what stands at the counter against what was declared or shipped. */
export const receive = later(
  { name: "receive", key: "F6", command: "SPDORECEIVE", title: () => say("Receive") },
  async () => {
    const { ReceiveSession } = await import("./receive.js");
    return (stage) => new ReceiveSession(stage);
  },
);

/** Count: everything on the shelves, blind. */
export const count = later(
  { name: "count", key: "F7", command: "SPDOCOUNT", title: () => say("Count") },
  async () => {
    const { CountSession } = await import("./count.js");
    return (stage) => new CountSession(stage);
  },
);

/** A signature drawn on the screen, by finger, pen or mouse, as a picture to keep. */

import { button, element } from "./elements.js";
import { say } from "./words.js";

const WIDTH = 900;
const HEIGHT = 300;

/** A pad to sign on: `element` goes on the page, `png()` gives the picture or null when nothing was drawn. */
export class SignaturePad {
  constructor() {
    this.canvas = element("canvas", { width: WIDTH, height: HEIGHT, class: "signature", "aria-label": say("Sign here"), role: "img" });
    this.element = element("div", { class: "sign" }, this.canvas, button(say("Clear the signature"), null, () => this.clear()));
    this.clear();
    this.canvas.addEventListener("pointerdown", (event) => this._begin(event));
    this.canvas.addEventListener("pointermove", (event) => this._draw(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => (this.drawing = false));
  }

  /** Wipes the pad. */
  clear() {
    const pen = this.canvas.getContext("2d");
    pen.fillStyle = "white";
    pen.fillRect(0, 0, WIDTH, HEIGHT);
    pen.strokeStyle = "#101010";
    pen.lineWidth = 5;
    pen.lineCap = pen.lineJoin = "round";
    this.drawing = false;
    this.points = 0;
  }

  /** @returns {Promise<Blob | null>} */
  png() {
    if (this.points < 3) return Promise.resolve(null);
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }

  _at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * WIDTH) / box.width, ((event.clientY - box.top) * HEIGHT) / box.height];
  }

  _begin(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.drawing = true;
    const pen = this.canvas.getContext("2d");
    pen.beginPath();
    pen.moveTo(...this._at(event));
  }

  _draw(event) {
    if (!this.drawing) return;
    const pen = this.canvas.getContext("2d");
    pen.lineTo(...this._at(event));
    pen.stroke();
    this.points += 1;
  }
}

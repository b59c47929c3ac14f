/**
 * A camera as a scanner: `showCamera(container, ({text, how}) => ...)`. The browser reads the codes itself where it can
 * (BarcodeDetector); else frames, made small, go to the service one after another, and it forgets them.
 *
 * The camera is asked for on a press only, runs only while the page is in view, and tells the same code once until it was out
 * of sight for a moment.
 */

import { say } from "../words.js";
import { normalised } from "./text.js";

const FRAMES = "/v1/scans/image";
const FORMATS = ["code_128", "data_matrix", "qr_code"];
const ALSO = ["code_39", "pdf417"];
const LONGEST_SIDE = 1280;
const QUALITY = 0.8;
const PAUSE = 120;
const PAUSE_AFTER_FAULT = 1500;
const OUT_OF_SIGHT = 2000;

/**
 * Puts a camera into a container: a button, the picture, what it says.
 * @param {HTMLElement} container
 * @param {(scan: {text: string, how: "camera"}) => void} onScan
 * @param {{beep?: boolean}} [options]  `beep` false: the page makes its own sound
 * @returns {() => void} switches it off and takes it away
 */
export function showCamera(container, onScan, { beep = true } = {}) {
  const camera = new Camera(container, onScan, beep);
  return () => camera.remove();
}

class Camera {
  #onScan;
  #sound;
  #stream = null;
  #running = 0;
  #seen = new Map();
  #parts;

  constructor(container, onScan, beep) {
    this.#onScan = onScan;
    this.#sound = beep ? new Beep() : null;
    this.#parts = this.#build();
    container.append(this.#parts.root);
    document.addEventListener("visibilitychange", this.#hidden);
    const why = whyNot();
    if (why) {
      this.#parts.start.disabled = true;
      this.#say(why);
    }
  }

  remove() {
    this.#stop();
    document.removeEventListener("visibilitychange", this.#hidden);
    this.#parts.root.remove();
  }

  #build() {
    const part = (name, given, ...inside) => {
      const made = Object.assign(document.createElement(name), given);
      made.append(...inside);
      return made;
    };
    const button = (words, press, given = {}) => {
      const made = part("button", { type: "button", textContent: words, ...given });
      made.addEventListener("click", press);
      return made;
    };
    const video = part("video", { muted: true, playsInline: true, autoplay: true });
    video.setAttribute("aria-label", say("What the camera sees"));
    const sight = part("div", { className: "sight", hidden: true }, video);
    const start = button(say("Use the camera"), () => this.#start());
    const stop = button(say("Stop the camera"), () => this.#stop(), { hidden: true });
    const torch = button(say("Light"), () => this.#light(), { hidden: true, className: "quiet" });
    torch.setAttribute("aria-pressed", "false");
    const words = part("p", { className: "words" });
    words.setAttribute("role", "status");
    const root = part("div", { className: "camera" }, sight, part("div", { className: "buttons" }, start, stop, torch), words);
    return { root, video, sight, start, stop, torch, words };
  }

  #hidden = () => {
    if (document.hidden) this.#stop();
  };

  async #start() {
    this.#sound?.wake();
    this.#say(say("Starting the camera."));
    const turn = ++this.#running;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1080 } },
      });
      if (turn !== this.#running) return stream.getTracks().forEach((track) => track.stop());
      await this.#show(stream);
      this.#say(say("Hold a code into the frame."));
      this.#look(turn, await reader());
    } catch (problem) {
      this.#stop();
      this.#say(wordsOf(problem));
    }
  }

  async #show(stream) {
    this.#stream = stream;
    const { video, sight, start, stop, torch } = this.#parts;
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => this.#lost(stream));
    torch.hidden = !track.getCapabilities?.().torch;
    video.srcObject = stream;
    sight.hidden = stop.hidden = false;
    start.hidden = true;
    if (document.activeElement === document.body) stop.focus({ preventScroll: true });
    await video.play();
  }

  #lost(stream) {
    if (stream !== this.#stream) return;
    this.#stop();
    this.#say(say("The camera was taken away: another program uses it, or it was unplugged."));
  }

  #stop() {
    this.#running += 1;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#seen.clear();
    const { video, sight, start, stop, torch } = this.#parts;
    video.srcObject = null;
    sight.hidden = stop.hidden = torch.hidden = true;
    torch.setAttribute("aria-pressed", "false");
    start.hidden = false;
    this.#say("");
  }

  async #light() {
    const { torch } = this.#parts;
    const on = torch.getAttribute("aria-pressed") !== "true";
    try {
      await this.#stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] });
      torch.setAttribute("aria-pressed", String(on));
    } catch {
      this.#say(say("The light of this camera cannot be switched."));
    }
  }

  async #look(turn, read) {
    while (turn === this.#running) {
      let pause = PAUSE;
      try {
        const texts = await read(this.#parts.video);
        if (turn !== this.#running) return;
        texts.map(normalised).filter(Boolean).forEach((text) => this.#found(text));
      } catch (problem) {
        if (turn !== this.#running) return;
        this.#say(wordsOf(problem));
        pause = PAUSE_AFTER_FAULT;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  #found(text) {
    const now = performance.now();
    const before = this.#seen.get(text) ?? -Infinity;
    this.#seen.set(text, now);
    if (now - before < OUT_OF_SIGHT) return;
    this.#sound?.beep();
    navigator.vibrate?.(60);
    this.#parts.sight.classList.add("seen");
    setTimeout(() => this.#parts.sight.classList.remove("seen"), 350);
    this.#say(say("Read: {text}", { text: text.replace(/[\x00-\x1f]+/g, " ") }));
    this.#onScan({ text, how: "camera" });
  }

  #say(words) {
    this.#parts.words.textContent = words;
  }
}

/** Why there can be no camera here, in words; null: there may be one. */
function whyNot() {
  if (!window.isSecureContext) {
    return say("A browser lets a page use the camera over HTTPS only: open this page by its https address (docs/https.md says how to get one).");
  }
  return navigator.mediaDevices?.getUserMedia ? null : say("This browser has no way to a camera: take a newer one, or a scanner.");
}

function wordsOf(problem) {
  const known = {
    NotAllowedError: say("The browser does not let this page use the camera: allow it by the sign beside the address, then press again."),
    NotFoundError: say("There is no camera on this device."),
    OverconstrainedError: say("There is no camera on this device that will do."),
    NotReadableError: say("The camera does not answer: another program may be using it."),
  };
  return known[problem.name] ?? (problem instanceof Unread ? problem.message : say("The camera does not work: {why}", { why: problem.message }));
}

/** A frame that nobody read, and why. */
class Unread extends Error {}

/** What reads codes out of a picture: the browser if it can read all kinds that are needed, else the service. */
async function reader() {
  const known = await (window.BarcodeDetector?.getSupportedFormats?.() ?? []);
  if (!FORMATS.every((format) => known.includes(format))) return byService();
  const detector = new window.BarcodeDetector({ formats: [...FORMATS, ...ALSO.filter((format) => known.includes(format))] });
  return async (video) => (video.readyState < 2 ? [] : (await detector.detect(video)).map((code) => code.rawValue));
}

function byService() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { alpha: false });
  return async (video) => {
    const longest = Math.max(video.videoWidth, video.videoHeight);
    if (video.readyState < 2 || !longest) return [];
    const scale = Math.min(1, LONGEST_SIDE / longest);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const frame = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return frame ? ask(frame) : [];
  };
}

async function ask(frame) {
  let answer;
  try {
    answer = await fetch(FRAMES, { method: "POST", headers: { "Content-Type": "image/jpeg" }, body: frame });
  } catch {
    throw new Unread(say("The service does not answer. In this browser the camera needs it: use a scanner, or type the number."));
  }
  if (answer.ok) return (await answer.json()).scans.map((code) => code.text);
  const problem = await answer.json().catch(() => null);
  throw new Unread(problem?.detail ?? say("The service did not read the picture ({status}).", { status: answer.status }));
}

class Beep {
  #context = null;

  /** Sound may begin on a press only. */
  wake() {
    this.#context ??= window.AudioContext ? new AudioContext() : null;
    this.#context?.resume?.();
  }

  beep() {
    const context = this.#context;
    if (!context) return;
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.frequency.value = 1850;
    loudness.gain.setValueAtTime(0.2, context.currentTime);
    loudness.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.12);
    tone.connect(loudness).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + 0.12);
  }
}

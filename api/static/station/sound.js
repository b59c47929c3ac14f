/** What the counter hears: each severity has its own sound, told apart without looking. */

const KEY = "stockpile.station.muted";
const NOTES = {
  ready: [[1320, 0, 0.09]],
  attention: [[660, 0, 0.1], [660, 0.16, 0.1]],
  stop: [[196, 0, 0.4]],
  out: [[660, 0, 0.08], [990, 0.09, 0.12]],
  back: [[990, 0, 0.08], [660, 0.09, 0.12]],
  posted: [[784, 0, 0.1], [988, 0.1, 0.1], [1175, 0.2, 0.2]],
};
const SHAPE = { ready: "sine", attention: "triangle", stop: "square", posted: "sine", out: "sine", back: "sine" };

let context = null;

/** @returns {boolean} */
export function muted() {
  return localStorage.getItem(KEY) === "yes";
}

/** Turns sound off or on; gives whether it is off now. */
export function toggleMuted() {
  localStorage.setItem(KEY, muted() ? "no" : "yes");
  return muted();
}

/** @param {"ready" | "attention" | "stop" | "posted" | "out" | "back"} severity */
export function sound(severity) {
  if (muted() || !NOTES[severity]) return;
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
  for (const [pitch, after, lasts] of NOTES[severity]) note(pitch, SHAPE[severity], context.currentTime + after, lasts);
}

function note(pitch, shape, at, lasts) {
  const tone = context.createOscillator();
  const loudness = context.createGain();
  tone.type = shape;
  tone.frequency.value = pitch;
  loudness.gain.setValueAtTime(0.0001, at);
  loudness.gain.exponentialRampToValueAtTime(0.3, at + 0.01);
  loudness.gain.exponentialRampToValueAtTime(0.0001, at + lasts);
  tone.connect(loudness).connect(context.destination);
  tone.start(at);
  tone.stop(at + lasts + 0.02);
}

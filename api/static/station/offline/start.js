/** Puts the books of this browser before the service, where it is a device; loads nothing of them where it is none. */

const SETTLES = 1200;

/**
 * Opens the books, shows their state, and, while the link is down, asks who works here.
 * @param {Record<string, Function>} service changed in place
 * @param {HTMLElement} place after which the state is shown
 * @returns {Promise<import("./books.js").Books|null>} null: this browser was never made a device
 */
export async function startOffline(service, place) {
  if (!(await everADevice())) return null;
  const [{ openOffline }, { askWho, keepWatch, showStrip }] = await Promise.all([import("./books.js"), import("./strip.js")]);
  const books = await openOffline(service);
  showStrip(books, place);
  if (!books.state.enrolled) return books;
  for (const [name, state] of Object.entries(await books.lists())) {
    if (sessionStorage.getItem(name) === null) sessionStorage.setItem(name, JSON.stringify(state));
  }
  await books.settled(SETTLES);
  while (!books.state.up && books.state.locked) await askWho(books);
  keepWatch(books);
  return books;
}

async function everADevice() {
  try {
    return (await indexedDB.databases()).some((database) => database.name === "stockpile-station");
  } catch {
    return false;
  }
}

/**
 * The station's service worker: keeps exactly the files that the server listed for this version (VERSION, FILES and PAGES stand before
 * this text), all of them or none, and gives the station's pages from them. Never answers for /v1, nor for any other page.
 */
/* global VERSION, FILES, PAGES */

const PREFIX = "stockpile-station-";
const NAME = PREFIX + VERSION;

self.addEventListener("install", (event) => event.waitUntil(takeAll()));
self.addEventListener("activate", (event) => event.waitUntil(begin()));
self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  const kept = keptAs(event.request);
  if (kept) event.respondWith(give(kept, event.request));
});

/** Takes every file, each by its content's hash; one that is missing or other leaves the version before in place. */
async function takeAll() {
  const cache = await caches.open(NAME);
  try {
    await Promise.all(Object.entries(FILES).map(([path, hash]) => take(cache, path, path, { integrity: `sha256-${hash}` })));
    await Promise.all(Object.entries(PAGES).map(([page, source]) => take(cache, page, source, { credentials: "omit" })));
    await takeWords(cache);
  } catch (problem) {
    await caches.delete(NAME);
    throw problem;
  }
}

async function take(cache, path, source, options) {
  const answer = await fetch(source, { cache: "no-store", redirect: "error", ...options });
  if (!answer.ok) throw new Error(`${source} is not there: ${answer.status}`);
  await cache.put(path, answer);
}

/** The catalogue of the language that the pages are in; without it they speak English. */
async function takeWords(cache) {
  const [page] = Object.keys(PAGES);
  const language = /<html[^>]* lang="([A-Za-z-]+)"/.exec(await (await cache.match(page)).text())?.[1] ?? "en";
  if (language !== "en") await take(cache, `/words/${language}.json`, `/words/${language}.json`, {}).catch(() => {});
}

async function begin() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== NAME) await caches.delete(name);
  }
  await self.clients.claim();
}

/** Under which path a request is kept here; null: it is not for us. */
function keptAs(request) {
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return null;
  if (request.mode === "navigate") return Object.hasOwn(PAGES, pathname) ? pathname : null;
  return Object.hasOwn(FILES, pathname) || pathname.startsWith("/words/") ? pathname : null;
}

async function give(path, request) {
  const cache = await caches.open(NAME);
  return (await cache.match(path)) ?? fetch(request);
}

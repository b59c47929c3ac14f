/** The station's service worker, registered for an enrolled device only; tells when a new version of the station is ready. */

const SCOPE = "/station";

/**
 * Registers the worker that lets the station start without a network.
 * @param {(takeOver: () => void) => void} onReady called when a new version is ready; `takeOver` loads it, and keeps what was scanned
 * @returns {Promise<void>}
 */
export async function register(onReady) {
  if (!navigator.serviceWorker) return;
  const registration = await navigator.serviceWorker.register("/station/worker.js", { scope: SCOPE, updateViaCache: "none" });
  if (!registration) return;
  const told = (worker) => {
    if (!navigator.serviceWorker.controller) return;
    onReady(() => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      worker.postMessage("take over");
    });
  };
  if (registration.waiting) told(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker.addEventListener("statechange", () => worker.state === "installed" && told(worker));
  });
}

/**
 * Registers the worker and waits until the station can start from it.
 * @returns {Promise<boolean>} whether it can; not where a file of it could not be fetched, or the browser has no service workers
 */
export async function registered() {
  try {
    await register(() => {});
    const registration = await navigator.serviceWorker.getRegistration(SCOPE);
    return await activated(registration.active ?? registration.waiting ?? registration.installing);
  } catch {
    return false;
  }
}

function activated(worker) {
  return new Promise((resolve) => {
    const told = () => {
      if (worker.state === "activated") resolve(true);
      else if (worker.state === "redundant") resolve(false);
    };
    worker.addEventListener("statechange", told);
    told();
  });
}

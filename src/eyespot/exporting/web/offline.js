/** The page kept on the device, so that it works without a network. */

const SCRIPT = new URL("../sw.js", import.meta.url);

/**
 * Where a newer page was kept the last time, it takes the place of this one, which then is loaded anew; or, where the
 * browser is not ready for that, once all its tabs are closed.
 */
export async function takeNewest() {
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  if (!registration?.waiting) return;
  const { waiting } = registration;
  const reload = () => location.reload();
  navigator.serviceWorker.addEventListener("controllerchange", reload);
  waiting.postMessage("take over");
  await new Promise((goOn) => setTimeout(goOn, 2000));
  navigator.serviceWorker.removeEventListener("controllerchange", reload); // nobody is interrupted later
}

/** @param {() => void} kept - called when all of the page is there */
export async function keepForOffline(kept) {
  if (!("serviceWorker" in navigator)) return; // the page came neither over https nor from this machine
  try {
    const before = await navigator.serviceWorker.getRegistration();
    if (before?.scope === new URL("./", SCRIPT).href && (await isGone())) return void (await before.unregister());
    const registration = await navigator.serviceWorker.register(SCRIPT, { updateViaCache: "none" });
    if (registration.active) return kept();
    const worker = registration.installing ?? registration.waiting;
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") kept();
    });
  } catch {
    // the browser keeps nothing, as in a private window or on a full disk: the page works as long as it is online
  }
}

/** True where something else lies at this address by now: the next visit shows that. False without a network. */
async function isGone() {
  const answer = await fetch(SCRIPT, { cache: "no-store" });
  const isScript = (answer.headers.get("Content-Type") ?? "").includes("javascript");
  return answer.status === 404 || answer.status === 410 || (answer.status === 200 && !isScript);
}

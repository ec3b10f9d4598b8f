/** Keeps the page's files, and hands them out from then on. What it keeps is written in when the page is exported. */

const VERSION = "@VERSION@";
const FILES = @FILES@;
const OURS = `eyespot ${registration.scope} `; // other pages at the same address keep theirs
const KEPT = `${OURS}${VERSION}`;

addEventListener("install", (event) => event.waitUntil(keep()));
addEventListener("activate", (event) => event.waitUntil(forget()));
addEventListener("message", ({ data }) => {
  if (data === "take over") skipWaiting();
});
addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(registration.scope)) event.respondWith(answer(event.request));
});

async function keep() {
  const cache = await caches.open(KEPT);
  await cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" })));
}

async function forget() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(OURS) && name !== KEPT).map((name) => caches.delete(name)));
}

/** @param {Request} request */
async function answer(request) {
  const cache = await caches.open(KEPT);
  const asked = request.mode === "navigate" ? registration.scope : request;
  return (await cache.match(asked, { ignoreSearch: true })) ?? fetch(request);
}

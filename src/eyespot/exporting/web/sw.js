/** Keeps the page's files, and hands them out from then on. What it keeps is written in when the page is exported. */

const VERSION = "@VERSION@";
/** Each with the hash that it must have; none for what a web space may add something to. */
const FILES = @FILES@;
const OURS = `eyespot ${registration.scope} `; // other pages at the same address keep theirs
const KEPT = `${OURS}${VERSION}`;
const PAGE = new URL("./", registration.scope).href;
const ADDRESSES = new Set([...Object.keys(FILES), "index.html"].map((file) => new URL(file, registration.scope).href));

addEventListener("install", (event) => event.waitUntil(keep()));
addEventListener("activate", (event) => event.waitUntil(forget()));
addEventListener("message", ({ data }) => {
  if (data === "take over") skipWaiting();
});
addEventListener("fetch", (event) => {
  const [address] = event.request.url.split(/[?#]/);
  if (event.request.method !== "GET") return;
  if (ADDRESSES.has(address)) event.respondWith(answer(event.request, address)); // other pages may lie below
  if (address === location.href) event.respondWith(fetch(event.request).catch(() => new Response(null, { status: 204 }))); // see isGone
});

async function keep() {
  const cache = await caches.open(KEPT);
  const requests = Object.entries(FILES).map(([file, integrity]) => new Request(file, { cache: "no-cache", integrity }));
  await cache.addAll(requests);
}

async function forget() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(OURS) && name !== KEPT).map((name) => caches.delete(name)));
}

/**
 * @param {Request} request
 * @param {string} address - that of one of the files, or of the page
 */
async function answer(request, address) {
  const cache = await caches.open(KEPT);
  return (await cache.match(address === `${PAGE}index.html` ? PAGE : address)) ?? fetch(request);
}

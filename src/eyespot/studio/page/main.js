/**
 * The studio: a network, a picture, and every number between them; and the screens around that.
 *
 * A screen is a module that exports `show(network, place, before)`, called whenever its place in the address changes.
 */

import { fetchNetwork } from "./ask.js";
import { fetchLobby } from "./ask_collect.js";
import { el } from "./dom.js";
import { byId, say } from "./elements.js";
import { go, onChange, place } from "./state.js";
import { language, sayAll, t } from "./words.js";

/** @type {Record<string, () => Promise<{show: (network: any, now: any, before: any) => Promise<void>}>>} */
const SCREENS = {
  network: () => import("./network.js"),
  playground: () => import("./playground.js"),
  errors: () => import("./errors.js"),
  runs: () => import("./runs.js"),
  collect: () => import("./collect.js"),
};
const WITHOUT_NETWORK = ["playground", "runs", "collect"];

/** @type {import("./ask.js").Network | null} - where none is open */
let network = null;

try {
  sayAll();
  if ((await fetchLobby()).open !== null) network = await fetchNetwork();
  byId("language").onclick = () => go({ lang: language() === "zh" ? "en" : "zh" });
  onChange(show);
  await show(place(), {});
} catch (error) {
  say(byId("trouble"), error.message);
}

/** @param {import("./state.js").Place} now @param {import("./state.js").Place} before */
async function show(now, before) {
  const named = now.screen && now.screen in SCREENS ? now.screen : "network";
  const screen = network || WITHOUT_NETWORK.includes(named) ? named : "runs";
  try {
    sayAll();
    byId("language").textContent = t("language.other");
    if (network) byId("subject").textContent = network.name === network.network ? network.name : `${network.name} · ${network.network}`;
    byId("title").textContent = t(`screen.${screen}`);
    const open = Object.keys(SCREENS).filter((name) => network || WITHOUT_NETWORK.includes(name));
    byId("screens").replaceChildren(...open.map((name) => link(name, name === screen)));
    for (const name of Object.keys(SCREENS)) byId(name).hidden = name !== screen;
    const module = await SCREENS[screen]();
    await module.show(network, now, screen === (before.screen ?? "network") && "picture" in before ? before : {});
    if (place() !== now) return; // she went on meanwhile
    say(byId("trouble"));
    document.documentElement.dataset.shown = location.hash;
  } catch (error) {
    say(byId("trouble"), error.message);
  }
}

/** @param {string} screen @param {boolean} chosen */
function link(screen, chosen) {
  const { lang, picture } = place();
  const kept = Object.entries({ screen, lang, picture }).filter(([, value]) => value);
  const given = chosen ? { "aria-current": "page" } : {};
  return el("a", { href: `#${new URLSearchParams(Object.fromEntries(kept))}`, ...given }, t(`screen.${screen}`));
}

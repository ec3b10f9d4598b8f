/**
 * The studio: a network, a picture, and every number between them; and the screens around that.
 *
 * A screen is a module that exports `show(network, place, before)`, called whenever its place in the address changes.
 */

import { fetchNetwork } from "./ask.js";
import { fetchLobby } from "./ask_collect.js";
import { el } from "./dom.js";
import { watchElsewhere } from "./elsewhere.js";
import { byId, say } from "./elements.js";
import { go, onChange, place } from "./state.js";
import { language, sayAll, t } from "./words.js";

/** @type {Record<string, () => Promise<{show: (network: any, now: any, before: any) => Promise<void>}>>} */
const SCREENS = {
  network: () => import("./network.js"),
  playground: () => import("./playground.js"),
  errors: () => import("./errors.js"),
  labs: () => import("./labs.js"),
  kernels: () => import("./kernels_screen.js"),
  training: () => import("./training.js"),
  runs: () => import("./runs.js"),
  collect: () => import("./collect.js"),
};
const WITHOUT_NETWORK = ["playground", "runs", "collect"]; // screens that show something where no run is open
const WITHOUT_MODEL = ["playground", "training"]; // and of a run that has no model yet

/** @type {import("./ask.js").Network | null} - where none is open */
let network = null;

try {
  sayAll();
  const { open, run } = await fetchLobby();
  if (open !== null) network = await fetchNetwork();
  watchElsewhere(network, run);
  byId("language").onclick = () => go({ lang: language() === "zh" ? "en" : "zh" });
  onChange(show);
  await show(place(), {});
} catch (error) {
  say(byId("trouble"), error.message);
}

/** @param {import("./state.js").Place} now @param {import("./state.js").Place} before */
async function show(now, before) {
  const asked = nameOf(now);
  const screen = isOpen(asked) ? asked : first();
  try {
    sayAll();
    byId("language").textContent = t("language.other");
    if (network) byId("subject").textContent = network.name === network.network ? network.name : `${network.name} · ${network.network}`;
    byId("subject").title = byId("subject").textContent ?? "";
    byId("title").textContent = t(`screen.${screen}`);
    byId("screens").replaceChildren(...Object.keys(SCREENS).filter(isOpen).map((name) => link(name, name === screen)));
    for (const name of Object.keys(SCREENS)) byId(name).hidden = name !== screen;
    const module = await SCREENS[screen]();
    await module.show(network, now, asked === nameOf(before) && "picture" in before ? before : {});
    if (place() !== now) return; // she went on meanwhile
    say(byId("trouble"), [otherRun(now), screen === asked || !network ? "" : t("training.not-yet", { screen: t(`screen.${asked}`) })].filter(Boolean).join(" "));
    document.documentElement.dataset.shown = location.hash;
  } catch (error) {
    say(byId("trouble"), error.message);
  }
}

/** Says so where the address was made for another run than the open one, as a report does. @param {import("./state.js").Place} place */
function otherRun({ run }) {
  if (!run || run === network?.name) return "";
  return network ? t("run.other", { run, open: network.name }) : t("run.closed", { run });
}

/** The screen that a place names. @param {import("./state.js").Place} place @returns {string} */
function nameOf({ screen }) {
  return screen && screen in SCREENS ? screen : first();
}

/** The screen that is shown where none is named. @returns {string} */
function first() {
  return network ? (isOpen("network") ? "network" : "training") : "runs";
}

/** Whether there is anything to show on a screen. @param {string} screen */
function isOpen(screen) {
  if (!network) return WITHOUT_NETWORK.includes(screen);
  return network.layers.length > 0 || WITHOUT_MODEL.includes(screen);
}

/** @param {string} screen @param {boolean} chosen */
function link(screen, chosen) {
  const { lang, picture } = place();
  const kept = Object.entries({ screen, lang, picture }).filter(([, value]) => value);
  const given = chosen ? { "aria-current": "page" } : {};
  return el("a", { href: `#${new URLSearchParams(Object.fromEntries(kept))}`, ...given }, t(`screen.${screen}`));
}

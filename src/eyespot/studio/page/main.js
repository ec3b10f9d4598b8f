/** The studio: a network, a picture, and every number between them. */

import { fetchNetwork } from "./ask.js";
import { openDesk, showDesk } from "./desk.js";
import { byId, say } from "./elements.js";
import { showLayer } from "./layer.js";
import { go, onChange, place } from "./state.js";
import { buildStrip, drawStrip, markChosen } from "./strip.js";
import { showValue } from "./value.js";
import { language, sayAll, t } from "./words.js";

/** @type {import("./ask.js").Network} */
let network;

try {
  sayAll();
  network = await fetchNetwork();
  openDesk(network);
  byId("language").onclick = () => go({ lang: language() === "zh" ? "en" : "zh" });
  byId("network").hidden = false;
  onChange((now, before) => show(now, before));
  await show(place(), {});
} catch (error) {
  say(byId("trouble"), error.message);
}

/** @param {import("./state.js").Place} now @param {import("./state.js").Place} before */
async function show(now, before) {
  const picture = now.picture ?? network.blank;
  const isNew = picture !== (before.picture ?? network.blank) || !("layer" in before);
  try {
    sayAll();
    byId("language").textContent = t("language.other");
    byId("subject").textContent = network.name === network.network ? network.name : `${network.name} · ${network.network}`;
    const isBuilt = buildStrip(network);
    const work = [showLayer(network, picture), showValue(network, picture)];
    if (isNew || now.lang !== before.lang) work.push(showDesk(network, picture));
    if (isNew || isBuilt) work.push(drawStrip(picture));
    markChosen();
    await Promise.all(work);
    say(byId("trouble"));
    document.documentElement.dataset.shown = location.hash;
  } catch (error) {
    say(byId("trouble"), error.message);
  }
}

/** KERNELS: the kernels of a convolution, epoch by epoch where they were kept, and the named kernels that they are like. */

import { fetchKernelHistory, fetchPlanes } from "./ask_kernels.js";
import { button, el } from "./dom.js";
import { byId, say } from "./elements.js";
import { epochIn, epochSlider, markEpoch } from "./kernel_epochs.js";
import { legend, tiles } from "./kernel_tiles.js";
import { said } from "./said.js";
import { go, place } from "./state.js";
import { t } from "./words.js";

const SHOWN = 64; // planes at a time
let built = ""; // for which layer, and in which language

/** @param {import("./ask.js").Layer} layer */
const isConvolution = ({ weight }) => weight?.length === 4;

/** @param {import("./ask.js").Network} network */
export async function show(network) {
  const now = place();
  const layers = network.layers.filter(isConvolution);
  if (!layers.length) {
    built = "";
    byId("kernels").replaceChildren(el("section", { "aria-labelledby": "kernels-title" }, title(), el("p", {}, t("kernels.none"))));
    return;
  }
  const layer = layers.find(({ name }) => name === now.kernels) ?? layers[0];
  const history = await fetchKernelHistory();
  const epochs = history.layer === layer.name ? history.epochs : [];
  const epoch = epochIn(epochs);
  const of = layer.weight[0] * layer.weight[1];
  const first = firstIn(now.first, of);
  const planes = await fetchPlanes(layer.name, first, epoch);
  if (place() !== now) return; // she went on meanwhile
  const key = `${layer.name} ${document.documentElement.lang}`;
  if (key !== built || !byId("kernels").children.length) {
    built = key;
    byId("kernels").replaceChildren(section(layers, layer, epochs, planes.most));
  }
  markEpoch(epochs);
  say(byId("kernels-note"), note(network, layers, layer, history));
  say(byId("kernels-trouble"), trouble(now, layers, epochs, layer));
  byId("kernels-tiles").replaceChildren(...tiles(planes, layer.name, layer.weight[1] === 1));
  pages(first, of, planes.planes.length);
}

const title = () => el("h2", { id: "kernels-title" }, t("kernels.title"));

/**
 * @param {import("./ask.js").Layer[]} layers @param {import("./ask.js").Layer} layer @param {number[]} epochs
 * @param {number} most - the end of the colours
 */
function section(layers, layer, epochs, most) {
  const select = el("select", { id: "kernels-layer", onchange: () => go({ kernels: select.value, first: null, epoch: null }) });
  select.append(...layers.map(({ name }) => el("option", { value: name, selected: name === layer.name }, name)));
  const [maps, seen, height, width] = layer.weight;
  const isAlone = seen === 1;
  return el(
    "section",
    { "aria-labelledby": "kernels-title" },
    title(),
    el("p", {}, t(isAlone ? "kernels.what.alone" : "kernels.what", { maps, seen, height, width })),
    el("p", { id: "kernels-trouble", className: "error", role: "alert", hidden: true }),
    el("p", { className: "row" }, el("label", { for: "kernels-layer" }, t("kernels.layer")), select),
    ...(epochs.length ? [epochSlider(epochs)] : []),
    el("p", { id: "kernels-note", className: "small", hidden: true }),
    legend(most),
    el("p", { className: "small soft" }, t(height === width && height >= 3 && height % 2 ? "kernels.cosine" : "kernels.unnamed", { height, width })),
    el("ul", { id: "kernels-tiles", className: "kernel-tiles" }),
    el("p", { id: "kernels-pages", className: "row" }),
  );
}

/** Why there is no slider. @param {import("./ask.js").Network} network @param {import("./ask.js").Layer[]} layers @param {import("./ask.js").Layer} layer @param {import("./ask_kernels.js").KernelHistory} history */
function note({ is_run }, layers, layer, { layer: kept, said: reason }) {
  if (reason) return said(reason);
  if (kept === layer.name) return "";
  if (kept && layers.some(({ name }) => name === kept)) return t("kernels.other", { layer: kept });
  return t(is_run ? "kernels.unkept" : "kernels.catalogue");
}

/** What the address names in vain. @param {any} now @param {import("./ask.js").Layer[]} layers @param {number[]} epochs @param {import("./ask.js").Layer} layer */
function trouble(now, layers, epochs, layer) {
  if (now.kernels && now.kernels !== layer.name) return t("kernels.no-layer", { name: now.kernels, layer: layers[0].name });
  if (now.epoch !== undefined && epochIn(epochs) === null) return t("kernels.no-epoch", { epoch: now.epoch });
  return "";
}

/** @param {string | undefined} text @param {number} of */
function firstIn(text, of) {
  const first = /^\d{1,9}$/.test(text ?? "") ? Number(text) : 0;
  return first < of ? first - (first % SHOWN) : 0;
}

/** @param {number} first @param {number} of @param {number} count */
function pages(first, of, count) {
  const holder = byId("kernels-pages");
  holder.hidden = of <= SHOWN;
  const focused = document.activeElement?.id;
  holder.replaceChildren(
    button("←", () => go({ first: first - SHOWN }), { id: "kernels-before", disabled: first === 0, "aria-label": t("kernels.pages.before") }),
    el("span", {}, t("kernels.shown", { first: first + 1, last: first + count, of })),
    button("→", () => go({ first: first + SHOWN }), { id: "kernels-next", disabled: first + count >= of, "aria-label": t("kernels.pages.next") }),
  );
  if (focused === "kernels-before" || focused === "kernels-next") document.getElementById(focused)?.focus();
}

/** NETWORK: a strip of all layers with their maps, redrawn with every picture. */

import { fetchKernels, fetchMaps } from "./ask.js";
import { showField } from "./desk.js";
import { button, el } from "./dom.js";
import { byId } from "./elements.js";
import { spotOf } from "./field.js";
import { kindOf } from "./kinds.js";
import { cornerOf, drawSheet, placeAt, sheetOf } from "./sheet.js";
import { go, place } from "./state.js";
import { t } from "./words.js";

const MANY = 40; // layers: beyond, stages are folded
const THICKEST = 6; // pixels of a line
/** @type {Map<string, {layer: import("./ask.js").Layer, canvas: HTMLCanvasElement, sheet: import("./sheet.js").Sheet}>} */
const shown = new Map();
/** @type {Map<string, Promise<Float32Array>>} */
const kernels = new Map();
/** @type {string | undefined} */
let reached; // the layer that was last scrolled to
let drawn = ""; // which stages and languages the strip was built for

const stageOf = (/** @type {string} */ name) => name.split(".")[0];

/** @param {import("./ask.js").Network} network */
export function buildStrip(network) {
  const open = stageOf(place().layer ?? "");
  const folded = network.layers.length > MANY;
  const key = `${folded ? open : ""} ${document.documentElement.lang}`;
  if (key === drawn) return false;
  drawn = key;
  shown.clear();
  const [, ...sides] = network.layers[0].output;
  const cards = network.layers
    .filter(({ name }, at, all) => !folded || stageOf(name) === open || stageOf(all[at + 1]?.name ?? "") !== stageOf(name))
    .map((layer) => card(layer, Math.max(...sides)));
  byId("strip").replaceChildren(...cards);
  byId("strip-hint").textContent = t(folded ? "strip.folded" : "strip.hint");
  byId("legend").textContent = t("strip.legend");
  return true;
}

/** @param {import("./ask.js").Layer} layer @param {number} side */
function card(layer, side) {
  const sheet = sheetOf(layer.output, side);
  const canvas = el("canvas", { width: 1, height: 1 });
  shown.set(layer.name, { layer, canvas, sheet });
  const more = layer.output[0] - sheet.count;
  const shape = layer.output.length === 3 ? [...layer.output.slice(1), layer.output[0]].join(" × ") : `${layer.output[0]}`;
  const open = button("", () => {}, { className: "sheet", "aria-label": `${layer.name}, ${kindOf(layer)}, ${shape}` });
  open.append(canvas);
  open.onclick = (event) => {
    const at = event.detail ? placeAt(sheet, event.offsetX, event.offsetY) : { map: 0 };
    if (at) go({ layer: layer.name, map: at.map, cell: "row" in at ? [at.row, at.column] : null });
  };
  open.onpointermove = (event) => hover(layer, placeAt(sheet, event.offsetX, event.offsetY));
  open.onpointerleave = () => hover(layer, null);
  const name = el("span", { className: "name", title: layer.name }, shortened(layer.name));
  const about = el("span", { className: "small soft" }, `${kindOf(layer)} · ${shape}${more > 0 ? ` · ${t("strip.more", { more })}` : ""}`);
  return el("li", {}, name, open, about);
}

/** A name with its stage and its end: long ones lose what is between. @param {string} name */
function shortened(name) {
  const parts = name.split(".");
  return parts.length > 3 ? [parts[0], "…", ...parts.slice(-2)].join(".").replace(".….", " … ") : name;
}

/** @param {string} picture - whose maps are drawn @returns {Promise<void>} */
export async function drawStrip(picture) {
  const all = [...shown.values()];
  const isWhole = ({ layer, sheet }) => sheet.count === layer.output[0];
  const groups = [all.filter(isWhole), ...all.filter((each) => !isWhole(each)).map((each) => [each])];
  await Promise.all(groups.filter((group) => group.length).map((group) => drawGroup(group, picture)));
  reached = undefined; // its sheets have their sizes only now
  markChosen();
}

/** @param {any[]} group @param {string} picture */
async function drawGroup(group, picture) {
  const { count } = group.length === 1 ? group[0].sheet : { count: 4096 };
  const values = await fetchMaps(picture, group.map(({ layer }) => layer.name), { count });
  if (place().picture && place().picture !== picture) return;
  let at = 0;
  for (const { canvas, sheet } of group) {
    const size = sheet.count * sheet.height * sheet.width;
    drawSheet(canvas, sheet, values.subarray(at, (at += size)));
  }
}

export function markChosen() {
  for (const [name, { canvas }] of shown) {
    const card = canvas.closest("li");
    card.classList.toggle("chosen", name === place().layer);
    card.querySelector("button").setAttribute("aria-current", `${name === place().layer}`);
    if (name === place().layer && name !== reached) reach(card);
  }
  reached = place().layer;
}

/** Scroll sideways until a card is seen whole. @param {HTMLElement} card */
function reach(card) {
  const holder = byId("strip-place");
  const [left, right] = [card.offsetLeft, card.offsetLeft + card.offsetWidth];
  if (left < holder.scrollLeft || right > holder.scrollLeft + holder.clientWidth) holder.scrollLeft = left - 24;
}

/** @param {import("./ask.js").Layer} layer @param {{map: number, row: number, column: number} | null} at */
async function hover(layer, at) {
  const lines = byId("lines");
  lines.replaceChildren();
  const chosen = shown.get(place().layer ?? "")?.layer;
  const { cell, map = 0 } = place();
  if (at) showField(layer, spotOf(layer, at.map, [at.row, at.column]));
  else showField(chosen, chosen && cell ? spotOf(chosen, map, cell) : undefined);
  const source = shown.get(layer.sources[0] ?? "");
  if (!at || !source || layer.sources.length > 1) return;
  const shares = await sharesOf(layer, at.map, source.sheet.count);
  const box = lines.getBoundingClientRect();
  const middle = ({ canvas, sheet }, map, right) => {
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = cornerOf(sheet, map);
    return [left - box.left + x + (right ? sheet.width * sheet.zoom : 0), top - box.top + y + (sheet.height * sheet.zoom) / 2];
  };
  const end = middle(shown.get(layer.name), at.map, false);
  const drawnLines = shares.map(([map, share]) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    const [x1, y1] = middle(source, map, true);
    for (const [name, value] of Object.entries({ x1, y1, x2: end[0], y2: end[1] })) line.setAttribute(name, `${value}`);
    line.setAttribute("stroke-width", `${Math.max(0.5, THICKEST * share)}`);
    return line;
  });
  lines.replaceChildren(...drawnLines);
}

/** How much each map of the source is worth to a map: by its kernel's plane. @returns {Promise<[number, number][]>} */
async function sharesOf(/** @type {import("./ask.js").Layer} */ layer, /** @type {number} */ map, /** @type {number} */ count) {
  if (!layer.weight || layer.weight.length < 2) return map < count ? [[map, 0.4]] : [];
  const key = `${layer.name} ${map}`;
  if (!kernels.has(key)) kernels.set(key, fetchKernels(layer.name, map));
  const planes = await kernels.get(key);
  const size = layer.weight.slice(2).reduce((product, side) => product * side, 1);
  const norms = Array.from({ length: layer.weight[1] }, (_, plane) =>
    Math.hypot(...planes.subarray(plane * size, (plane + 1) * size)),
  );
  const first = Math.floor(map / (layer.weight[0] / (layer.groups ?? 1))) * layer.weight[1];
  const most = Math.max(...norms);
  return norms.map((norm, plane) => [first + plane, norm / most]).filter(([source]) => source < count);
}

/** LAYER: what a layer is, one of its maps, and the maps and kernels that it is made of. */

import { fetchKernels, fetchMaps, fetchWithout } from "./ask.js";
import { canvasOf, scaleOf, written } from "./colors.js";
import { button, el, stepper } from "./dom.js";
import { byId, percent } from "./elements.js";
import { kindOf } from "./kinds.js";
import { large } from "./large_map.js";
import { convolved } from "./partial.js";
import { go, place } from "./state.js";
import { t } from "./words.js";

const MOST_PLANES = 16; // that are drawn, those worth most

/** @param {import("./ask.js").Network} network @param {string} picture */
export async function showLayer(network, picture) {
  const section = byId("layer");
  const { layer: name, map = 0, cell } = place();
  const at = network.layers.findIndex((layer) => layer.name === name);
  section.hidden = !name;
  if (at < 0) {
    section.replaceChildren(el("p", { role: "alert" }, name ? t("layer.none", { name }) : ""));
    return;
  }
  const layer = network.layers[at];
  const index = Math.min(map, layer.output[0] - 1);
  const values = await fetchMaps(picture, [layer.name], { first: index, count: 1 });
  const made = layer.kernel && layer.weight ? await planes(layer, index, picture) : "";
  if (place().layer !== name || (place().map ?? 0) !== map) return;
  const focused = section.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  section.replaceChildren(
    heading(network, at),
    el("p", { className: "small" }, ...facts(layer)),
    el("div", { className: "row" }, stepper(t("layer.map"), index, layer.output[0] - 1, (next) => go({ map: next })), ...mute(layer, index, picture)),
    el("div", { id: "muted" }),
    made,
    ...(layer.output.length === 3 ? [large(layer, index, values, cell)] : [numberAt(layer, index, values[0])]),
  );
  if (focused) /** @type {HTMLElement | null} */ (section.querySelector(`[aria-label="${focused}"]`))?.focus();
}

/** @param {import("./ask.js").Network} network @param {number} at */
function heading({ layers }, at) {
  const to = (/** @type {number} */ next) => () => go({ layer: layers[next].name, map: 0, cell: null });
  return el(
    "div",
    { className: "title" },
    el("h2", { id: "layer-title" }, layers[at].name),
    el(
      "div",
      { className: "row" },
      button("←", to(at - 1), { disabled: at === 0, "aria-label": t("layer.before") }),
      button("→", to(at + 1), { disabled: at === layers.length - 1, "aria-label": t("layer.next") }),
    ),
  );
}

/** @param {import("./ask.js").Layer} layer @returns {(string | Node)[]} */
function facts(layer) {
  const shape = layer.output.length === 3 ? [...layer.output.slice(1), layer.output[0]] : layer.output;
  const count = (/** @type {number} */ number) => number.toLocaleString(document.documentElement.lang);
  return [
    el("strong", {}, kindOf(layer)),
    ` ${shape.join(" × ")}${layer.formula ? ` = ${layer.formula}` : ""} · `,
    t("layer.parameters", { count: count(layer.parameters) }),
    ...(layer.multiply_adds ? [` · ${t("layer.products", { count: count(layer.multiply_adds) })}`] : []),
    ...(layer.fully_connected ? [` · ${t("layer.connected", { count: count(layer.fully_connected) })}`] : []),
    ...(layer.field ? [` · ${t("layer.field", { height: layer.field[0], width: layer.field[1] })}`] : []),
  ];
}

/** @param {import("./ask.js").Layer} layer @param {number} map @param {string} picture */
function mute(layer, map, picture) {
  if (layer.name === "input") return [];
  const press = async () => {
    const { before, after } = await fetchWithout(picture, layer.name, map);
    const names = [...document.querySelectorAll("#bars .name")].map((each) => each.textContent);
    const moved = before.map((share, at) => ({ at, change: after[at] - share })).sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
    const lines = moved.slice(0, 3).map(({ at, change }) =>
      el("li", {}, t("layer.moved", { class: names[at] ?? `${at}`, before: percent(before[at]), after: percent(after[at]), change: written(100 * change) })),
    );
    byId("muted").replaceChildren(el("p", { className: "small", role: "status" }, t("layer.muted", { map })), el("ul", { className: "small" }, ...lines));
  };
  return [button(t("layer.mute"), press)];
}

/** The sum of a map: source maps, kernel planes, partial maps. @param {import("./ask.js").Layer} layer @param {number} index @param {string} picture */
async function planes(layer, index, picture) {
  const [, height, width] = layer.input;
  const seen = layer.weight[1];
  const first = Math.floor(index / (layer.weight[0] / (layer.groups ?? 1))) * seen;
  const [kernel, inputs] = await Promise.all([
    fetchKernels(layer.name, index),
    fetchMaps(picture, layer.sources, { first, count: seen }),
  ]);
  const size = layer.weight[2] * layer.weight[3];
  const each = Array.from({ length: seen }, (_, plane) => {
    const weights = kernel.subarray(plane * size, (plane + 1) * size);
    const input = inputs.subarray(plane * height * width, (plane + 1) * height * width);
    return { map: first + plane, weights, input, worth: Math.hypot(...weights) };
  });
  const chosen = [...each].sort((one, other) => other.worth - one.worth).slice(0, MOST_PLANES).sort((a, b) => a.map - b.map);
  const scale = scaleOf(kernel);
  const rows = chosen.map(({ map, weights, input }) =>
    el(
      "li",
      {},
      labelled(canvasOf(input, width), t("layer.source", { map })),
      el("span", { "aria-hidden": "true" }, "×"),
      labelled(canvasOf(weights, layer.weight[3], { ...scale, signed: true }), t("layer.plane", { map })),
      el("span", { "aria-hidden": "true" }, "="),
      labelled(canvasOf(convolved(input, weights, layer), layer.output[2]), t("layer.partial", { map })),
    ),
  );
  const left = seen - rows.length;
  const said = left > 0 ? t("layer.planes.some", { shown: rows.length, left }) : t("layer.planes");
  return el("div", {}, el("p", { className: "small soft" }, said), el("ol", { className: "planes" }, ...rows));
}

/** @param {HTMLCanvasElement} canvas @param {string} label */
function labelled(canvas, label) {
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  canvas.title = label;
  return canvas;
}

/** @param {import("./ask.js").Layer} layer @param {number} index @param {number} value */
function numberAt(layer, index, value) {
  if (!place().cell) go({ cell: [0, 0] }, { replace: true });
  return el("p", {}, `${layer.name} [${index}] = ${written(value)}`);
}

/** VALUE: one number of a layer, with every product that makes it. */

import { fetchCell } from "./ask.js";
import { colorOf, scaleOf, written } from "./colors.js";
import { showField } from "./desk.js";
import { button, el, stepper } from "./dom.js";
import { byId, tell } from "./elements.js";
import { spotOf } from "./field.js";
import { go, place } from "./state.js";
import { sum } from "./sum.js";
import { t } from "./words.js";

const STEP_MILLISECONDS = 500;
/** @type {ReturnType<typeof setInterval> | undefined} */
let sliding;

/** @param {import("./ask.js").Network} network @param {string} picture */
export async function showValue(network, picture) {
  const section = byId("value");
  const { layer: name, map = 0, cell } = place();
  const layer = network.layers.find((each) => each.name === name);
  section.hidden = !layer || !cell;
  const field = showField(layer, cell && layer ? spotOf(layer, map, cell) : cell);
  if (section.hidden) return;
  const index = Math.min(map, layer.output[0] - 1);
  const isMap = layer.output.length === 3;
  const [row, column] = cell.map((at, way) => Math.min(at, (isMap ? layer.output[way + 1] : 1) - 1));
  const found = await fetchCell(picture, layer.name, isMap ? [index, row, column] : [index]);
  if (place().layer !== name || place().map !== map || `${place().cell}` !== `${cell}`) return;
  const focused = section.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const move = (/** @type {number} */ r, /** @type {number} */ c) => go({ cell: [r, c] }, { replace: true });
  section.replaceChildren(
    el("h2", { id: "value-title" }, `${layer.name} [${index}]${isMap ? ` ${t("value.at", { row, column })}` : ""} = ${written(found.value)}`),
    ...(isMap
      ? [el("div", { className: "row" }, stepper(t("value.row"), row, layer.output[1] - 1, (next) => move(next, column)), stepper(t("value.column"), column, layer.output[2] - 1, (next) => move(row, next)), slider(layer))]
      : []),
    el("p", { className: "small soft" }, t(`made.${found.kind}`), ...(field ? [` ${t("value.field", { top: field[0], bottom: field[1], left: field[2], right: field[3] })}`] : [])),
    ...parts(found, layer),
    el("p", { className: "sum" }, ...sum(found)),
    button(t("value.copy"), () => copy(found)),
  );
  if (focused) /** @type {HTMLElement | null} */ (section.querySelector(`[aria-label="${focused}"]`))?.focus();
}

/** Lets the window slide over all places, until it is stopped or another layer is chosen. @param {import("./ask.js").Layer} layer */
function slider({ name, output: [, height, width] }) {
  const stop = () => {
    clearInterval(sliding);
    sliding = undefined;
  };
  const step = () => {
    const { layer, cell } = place();
    if (layer !== name || !cell) return stop();
    const next = (cell[0] * width + cell[1] + 1) % (height * width);
    go({ cell: [Math.floor(next / width), next % width] }, { replace: true });
  };
  const press = (/** @type {any} */ event) => {
    if (sliding) stop();
    else sliding = setInterval(step, STEP_MILLISECONDS);
    event.target.setAttribute("aria-pressed", `${Boolean(sliding)}`);
  };
  return el("button", { type: "button", className: "switch", onclick: press, "aria-pressed": `${Boolean(sliding)}`, "aria-label": t("value.slide") }, t("value.slide"));
}

/** @param {import("./ask.js").Cell} cell @param {import("./ask.js").Layer} layer @returns {Node[]} */
function parts(cell, layer) {
  if (cell.parts.length && cell.parts.every(({ patch }) => patch.length === 1 && patch[0].length === 1)) return [listed(cell, layer)];
  const scale = { ...scaleOf(cell.parts.flatMap(({ kernel }) => kernel?.flat() ?? [0])), signed: true };
  return [
    ...(cell.parts[0]?.kernel ? [el("p", { className: "small soft" }, t("value.lines"))] : []),
    el(
      "ol",
      { className: "products" },
      ...cell.parts.map((part) =>
        el(
          "li",
          {},
          table(part.patch, t("value.patch", { map: part.map, top: part.top, left: part.left }), null, cell.chosen),
          ...(part.kernel ? weighed(part, scale) : []),
        ),
      ),
    ),
  ];
}

/** What follows a patch: its kernel plane, their products, and the sum of these. @param {import("./ask.js").Part} part @param {{most: number, signed: boolean}} scale */
function weighed({ map, patch, kernel, sum: total }, scale) {
  const products = kernel.map((row, y) => row.map((weight, x) => weight * (patch[y][x] ?? 0)));
  const sign = (/** @type {string} */ text, /** @type {Node} */ factor) => el("div", { className: "signed" }, el("span", { "aria-hidden": "true" }, text), factor);
  return [
    sign("×", table(kernel, t("value.kernel", { map }), scale)),
    sign("=", el("div", { className: "total" }, table(products, t("value.products", { map })), el("p", { className: "result" }, t("value.total", { sum: written(total) })))),
  ];
}

/** Parts of one number each, as a list. @param {import("./ask.js").Cell} cell @param {import("./ask.js").Layer} layer */
function listed(cell, layer) {
  const weighed = cell.parts.some(({ kernel }) => kernel);
  const alone = layer.sources.length === 1 ? `${layer.sources[0]} ` : "";
  const head = [t("value.from", { source: alone }).trim(), t("value.number"), ...(weighed ? [t("value.weight"), t("value.product")] : [])];
  return el(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", "aria-label": head[0] },
    el(
      "table",
      { className: "terms" },
      el("thead", {}, el("tr", {}, ...head.map((text) => el("th", { scope: "col" }, text)))),
      el(
        "tbody",
        {},
        ...cell.parts.map((part) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, `${alone ? "" : (layer.sources[part.source] ?? "")} [${part.map}]`.trim()),
            el("td", {}, part.patch[0][0] === null ? "0" : written(part.patch[0][0])),
            ...(weighed ? [el("td", {}, written(part.kernel[0][0])), el("td", {}, written(part.sum))] : []),
          ),
        ),
      ),
    ),
  );
}

/** @param {(number | null)[][]} rows @param {string} caption @param {{most: number, signed: boolean} | null} [scale] @param {number[] | null} [chosen] */
function table(rows, caption, scale = null, chosen = null) {
  const cells = (/** @type {(number | null)[]} */ row, /** @type {number} */ y) =>
    row.map((value, x) => {
      const cell = el("td", { className: value === null ? "padding" : "" }, value === null ? "0" : written(value));
      if (scale && value !== null) cell.style.borderBottomColor = `rgb(${colorOf(value, scale).join(" ")})`;
      cell.classList.toggle("largest", chosen?.[0] === y && chosen[1] === x);
      return cell;
    });
  return el(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    el("table", { className: scale ? "kernel" : "patch" }, el("caption", {}, caption), el("tbody", {}, ...rows.map((row, y) => el("tr", {}, ...cells(row, y))))),
  );
}

/** @param {import("./ask.js").Cell} cell */
async function copy(cell) {
  await navigator.clipboard.writeText(JSON.stringify(cell, null, 1));
  tell(t("value.copied"));
}

/** A map, drawn large: a number of it is chosen with the mouse or the arrow keys. */

import { canvasOf, scaleOf, written } from "./colors.js";
import { button, el } from "./dom.js";
import { byId } from "./elements.js";
import { go } from "./state.js";
import { t } from "./words.js";

/**
 * The map, and below it the chosen number, which leads to its sum.
 * @param {import("./ask.js").Layer} layer @param {number} map @param {Float32Array} values - of the map
 * @param {number[] | undefined} cell - the row and column that are chosen
 */
export function large(layer, map, values, cell) {
  const [, height, width] = layer.output;
  const canvas = canvasOf(values, width);
  const scale = scaleOf(values);
  const mark = el("div", { className: "field", hidden: !cell });
  const [row, column] = cell ?? [0, 0];
  mark.style.cssText = `left: ${(100 * column) / width}%; top: ${(100 * row) / height}%; width: ${100 / width}%; height: ${100 / height}%`;
  const label = t("layer.large", { map, height, width });
  const holder = el("div", { className: "large", tabIndex: 0, role: "application", "aria-label": label }, canvas, mark);
  holder.style.aspectRatio = `${width / height}`;
  const choose = (/** @type {number} */ r, /** @type {number} */ c) =>
    go({ map, cell: [Math.max(0, Math.min(height - 1, r)), Math.max(0, Math.min(width - 1, c))] }, { replace: Boolean(cell) });
  holder.onclick = (event) => {
    const { left, top, width: wide, height: tall } = holder.getBoundingClientRect();
    choose(Math.floor(((event.clientY - top) / tall) * height), Math.floor(((event.clientX - left) / wide) * width));
  };
  holder.onkeydown = (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [0, 0] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    choose(row + step[0], column + step[1]);
  };
  const legend = t(scale.signed ? "legend.signed" : "legend.plain", { most: written(scale.most), least: written(-scale.most) });
  return el("div", {}, holder, el("p", { className: "small soft" }, `${legend} ${t("layer.choose")}`), ...(cell ? [toSum(values, width, cell)] : []));
}

/** @param {Float32Array} values - of the map @param {number} width @param {number[]} cell */
function toSum(values, width, [row, column]) {
  const said = t("layer.sum", { row, column, value: written(values[row * width + column]) });
  return button(said, () => byId("value").scrollIntoView({ block: "start" }), { id: "to-sum" });
}

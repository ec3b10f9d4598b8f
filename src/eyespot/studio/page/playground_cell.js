/** One number of the output: its patch, the kernel, the products, and their sum. */

import { el, stepper } from "./dom.js";
import { shown } from "./matrix.js";
import { t } from "./words.js";

/**
 * @param {HTMLElement} section @param {import("./convolution.js").Convolved} found @param {import("./convolution.js").Cell} cell
 * @param {number[]} at - its row and column @param {{turned: boolean, choose: (row: number, column: number) => void}} how
 */
export function showCell(section, { output, laid, path }, cell, [row, column], { turned, choose }) {
  const label = section.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const [[top, bottom], [left, right]] = [cell.rows, cell.columns];
  const isPadding = (/** @type {number} */ y, /** @type {number} */ x) => top + y < 0 || left + x < 0 || top + y >= path[0].size || left + x >= path[1].size;
  section.replaceChildren(
    el("h2", { id: "playground-cell-title" }, t("playground.cell", { row, column, value: shown(cell.sum) })),
    el(
      "div",
      { className: "row" },
      stepper(t("value.row"), row, output.height - 1, (next) => choose(next, column)),
      stepper(t("value.column"), column, output.width - 1, (next) => choose(row, next)),
    ),
    el("p", { className: "small soft" }, t("playground.cell.place", Object.fromEntries(Object.entries({ top, bottom, left, right }).map(([name, at]) => [name, shown(at)])))),
    el(
      "div",
      { className: "factors" },
      table(t("playground.cell.patch"), cell.patch, laid.width, isPadding),
      signed("×", table(t(turned ? "playground.cell.turned" : "playground.cell.kernel"), Array.from(laid.values), laid.width)),
      signed("=", table(t("playground.cell.products"), cell.products, laid.width)),
    ),
    el("p", { className: "sum" }, sum(cell, laid)),
  );
  if (label) /** @type {HTMLElement | null} */ (section.querySelector(`[aria-label="${label}"]`))?.focus();
}

/** A table with the sign before it, on whose line it stays. @param {string} sign @param {Node} table */
const signed = (sign, table) => el("div", { className: "signed" }, el("span", { "aria-hidden": "true" }, sign), table);

/** @param {string} caption @param {number[]} values @param {number} width @param {(row: number, column: number) => boolean} [isPadding] */
function table(caption, values, width, isPadding = () => false) {
  const rows = Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));
  const cells = (/** @type {number[]} */ each, /** @type {number} */ y) =>
    each.map((value, x) => el("td", { className: isPadding(y, x) ? "padding" : "" }, shown(value)));
  return el(
    "div",
    { className: "scroll", tabIndex: 0, role: "group", "aria-label": caption },
    el("table", { className: "patch" }, el("caption", {}, caption), el("tbody", {}, ...rows.map((each, y) => el("tr", {}, ...cells(each, y))))),
  );
}

/** The whole sum, a row of the window in each line. @param {import("./convolution.js").Cell} cell @param {import("./windows.js").Matrix} laid */
function sum({ patch, sum }, { height, width, values }) {
  const factor = (/** @type {number} */ value) => (value < 0 ? `(${shown(value)})` : shown(value));
  const terms = patch.map((value, at) => `${factor(value)}\u00a0×\u00a0${factor(values[at])}`);
  const lines = Array.from({ length: height }, (_, row) => terms.slice(row * width, (row + 1) * width).join(" + "));
  return `${lines.join("\n+ ")}\n= ${shown(sum)}`;
}

/** The confusion matrix as a table: true classes down, answers across; a cell is a link to its pictures. */

import { el } from "./dom.js";
import { addressOf, place } from "./state.js";
import { t } from "./words.js";

const LONG = 3; // letters of a class: longer names stand upright above their column

/**
 * @param {import("./ask_errors.js").Confusion} confusion @param {string[]} classes
 * @returns {HTMLElement}
 */
export function confusionTable({ shown, matrix, support }, classes) {
  const upright = shown.some((number) => [...classes[number]].length > LONG);
  const heads = shown.map((number) => el("th", { scope: "col", title: classes[number] }, el("span", {}, classes[number])));
  const rows = matrix.map((counts, row) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", title: classes[shown[row]] }, classes[shown[row]]),
      ...counts.map((count, column) => cell(count, shown[row], shown[column], support[row], classes)),
    ),
  );
  return el(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("errors.matrix") },
    el(
      "table",
      { className: upright ? "matrix upright" : "matrix", "aria-labelledby": "matrix-title" },
      el(
        "thead",
        {},
        el("tr", {}, el("td", {}), el("th", { scope: "colgroup", colSpan: shown.length, className: "axis" }, t("errors.across"))),
        el("tr", {}, el("td", { className: "axis" }, t("errors.down")), ...heads),
      ),
      el("tbody", {}, ...rows),
    ),
  );
}

/** @param {number} count @param {number} truth @param {number} answer @param {number} of - pictures of the true class @param {string[]} classes */
function cell(count, truth, answer, of, classes) {
  const isRight = truth === answer;
  const box = el("td", { className: isRight ? "right" : count ? "wrong" : "" });
  if (!count) {
    box.append(el("span", { className: "unseen" }, "0"));
    return box;
  }
  box.style.setProperty("--share", `${count / of}`);
  box.append(cellLink(`${count}`, count, truth, answer, classes));
  return box;
}

/** @param {string} text @param {number} count @param {number} truth @param {number} answer @param {string[]} classes */
export function cellLink(text, count, truth, answer, classes) {
  const said = t("errors.cell", { truth: classes[truth], answer: classes[answer], count });
  const link = el("a", { href: addressOf({ truth, answer }), title: said, "aria-label": said }, text);
  Object.assign(link.dataset, { truth, answer });
  return link;
}

/** Marks the cell that is chosen. @param {HTMLElement} holder @param {{truth: number, answer: number} | null} chosen */
export function markCell(holder, chosen) {
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (holder.querySelectorAll("a[data-truth]"))) {
    const { truth, answer } = link.dataset;
    link.href = addressOf({ part: place().part ?? null, truth, answer });
    link.setAttribute("aria-current", `${Number(truth) === chosen?.truth && Number(answer) === chosen.answer}`);
  }
}

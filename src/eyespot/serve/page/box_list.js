/**
 * Boxes as a list, one stop of the Tab key: arrows go from row to row, and a row that is pointed at has its box stand
 * out.
 *
 * @typedef {object} List
 * @property {(count: number) => void} showFirst - shows that many rows
 * @property {(place: number | null) => void} point - marks one, by its place
 * @property {(place: number | null) => void} onPoint - called when a person points at one, or leaves it
 */

import { copyOf, percent } from "./elements.js";

/**
 * @param {HTMLElement} list @param {import("./box_layer.js").Colored[]} boxes @param {string} label
 * @returns {List}
 */
export function listBoxes(list, boxes, label) {
  const rows = boxes.map(rowOf);
  let shown = rows.length;
  list.replaceChildren(...rows);
  list.setAttribute("aria-label", label);

  const handle = {
    onPoint: (/** @type {number | null} */ place) => {},
    showFirst: (/** @type {number} */ count) => {
      shown = count;
      rows.forEach((row, place) => (row.hidden = place >= count));
      list.hidden = !count;
      if (!rows.slice(0, count).some((row) => row.tabIndex === 0)) stopAt(rows, 0);
    },
    point: (/** @type {number | null} */ place) =>
      rows.forEach((row, at) => row.setAttribute("aria-selected", `${at === place}`)),
  };
  const focused = () => {
    const place = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    return place < 0 ? null : place;
  };
  rows.forEach((row, place) => {
    row.onpointerenter = () => handle.onPoint(place);
    row.onpointerleave = () => handle.onPoint(focused());
    row.onclick = () => row.focus();
    row.onfocus = () => {
      stopAt(rows, place);
      handle.onPoint(place);
    };
    row.onblur = () => handle.onPoint(null);
  });
  list.onkeydown = (event) => {
    const place = focused() ?? 0;
    const next = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: shown - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    rows[Math.min(Math.max(next, 0), shown - 1)].focus();
  };
  return handle;
}

/** Have Tab come to one row. @param {HTMLElement[]} rows @param {number} place */
function stopAt(rows, place) {
  rows.forEach((row, at) => (row.tabIndex = at === place ? 0 : -1));
}

/** @param {import("./box_layer.js").Colored} box @returns {HTMLElement} */
function rowOf({ class: name, probability, xyxy, color }) {
  const [left, top, right, bottom] = xyxy.map(Math.round);
  const row = copyOf("box-template");
  row.style.setProperty("--color", color);
  row.style.setProperty("--share", `${probability}`);
  row.querySelector(".name").textContent = name;
  row.querySelector(".share").textContent = percent(probability);
  const place = `${right - left} by ${bottom - top} pixels, ${left} from the left, ${top} from the top`;
  row.setAttribute("aria-label", `${name}, ${percent(probability)}, ${place}`);
  return row;
}

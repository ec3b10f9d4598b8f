/**
 * A matrix that can be looked at: its numbers, where they are few, else a pixel each; a frame lies on it, and a place is
 * chosen with the mouse or the arrow keys.
 *
 * @typedef {import("./windows.js").Matrix} Matrix
 * @typedef {object} Grid
 * @property {Matrix} matrix
 * @property {{most: number, signed: boolean}} scale - of its colours
 * @property {(row: number, column: number) => boolean} [isPadding]
 * @property {{of: (row: number, column: number) => number | null, most: number}} [counts] - lie over the numbers
 */

import { colorOf } from "./colors.js";
import { el } from "./dom.js";
import { shown } from "./matrix.js";

const MOST_WRITTEN = 12; // rows and columns of which each number is written
const COUNTED = [15, 106, 104]; // the colour of the largest count
const OVERLAID = 0.7; // share of the counts' colour over a picture
const PADDED = [128, 128, 128]; // a padding pixel is drawn half in this
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [0, 0] };

/**
 * @param {string} label
 * @param {{over: (row: number, column: number) => void, out: () => void, choose: (row: number, column: number) => void,
 *   step: (down: number, across: number) => void}} does
 * @returns {HTMLElement}
 */
export function gridHolder(label, { over, out, choose, step }) {
  const holder = el("div", { className: "grid", tabIndex: 0, role: "application", "aria-label": label });
  const at = (/** @type {MouseEvent} */ { clientX, clientY }) => {
    const { left, top, width, height } = holder.getBoundingClientRect();
    const [rows, columns] = [Number(holder.dataset.rows), Number(holder.dataset.columns)];
    const place = (/** @type {number} */ share, /** @type {number} */ count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    return [place((clientY - top) / height, rows), place((clientX - left) / width, columns)];
  };
  holder.onpointermove = (event) => event.pointerType === "mouse" && over(...at(event));
  holder.onpointerleave = out;
  holder.onclick = (event) => choose(...at(event));
  holder.onkeydown = (event) => {
    const by = STEPS[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    step(...by);
  };
  return holder;
}

/** @param {HTMLElement} holder @param {Grid} grid */
export function drawGrid(holder, grid) {
  const { height, width } = grid.matrix;
  Object.assign(holder.dataset, { rows: height, columns: width });
  const isWritten = Math.max(height, width) <= MOST_WRITTEN;
  holder.classList.toggle("written", isWritten);
  holder.style.aspectRatio = `${width / height}`;
  holder.style.maxWidth = `min(100%, ${isWritten ? width * 3.25 : Math.min(24, (26 * width) / height)}rem)`;
  holder.replaceChildren(isWritten ? numbersOf(grid) : pixelsOf(grid), el("div", { className: "field", hidden: true }));
}

/** @param {HTMLElement} holder @param {number[] | null} place - its first row and column, and how many of each */
export function frameOn(holder, place) {
  const frame = /** @type {HTMLElement | null} */ (holder.querySelector(".field"));
  if (!frame) return;
  frame.hidden = !place;
  if (!place) return;
  const [row, column, tall, wide] = place;
  const [rows, columns] = [Number(holder.dataset.rows), Number(holder.dataset.columns)];
  const share = (/** @type {number} */ part, /** @type {number} */ of) => `${(100 * part) / of}%`;
  Object.assign(frame.style, { top: share(row, rows), left: share(column, columns), height: share(tall, rows), width: share(wide, columns) });
}

/** @param {Grid} grid */
function numbersOf(grid) {
  const { matrix, isPadding } = grid;
  const cells = Array.from(matrix.values, (value, at) => {
    const [row, column] = [Math.floor(at / matrix.width), at % matrix.width];
    const count = grid.counts?.of(row, column) ?? null;
    const pads = isPadding?.(row, column) ?? false;
    const cell = el("span", { className: pads ? "padding" : "" }, count === null ? shown(value, 4) : `${count}×`);
    if (!pads) paint(cell, colorAt(grid, row, column, 1));
    return cell;
  });
  const longest = Math.max(2, ...cells.map((cell) => cell.textContent.length));
  const numbers = el("div", { className: "numbers", "aria-hidden": "true" }, ...cells);
  numbers.style.gridTemplateColumns = `repeat(${matrix.width}, minmax(0, 1fr))`;
  numbers.style.fontSize = `min(.9375rem, ${140 / matrix.width / longest}cqw)`;
  return numbers;
}

/** @param {HTMLElement} cell @param {number[]} color */
function paint(cell, color) {
  const [red, green, blue] = color;
  cell.style.backgroundColor = `rgb(${color.join(" ")})`;
  cell.style.color = 0.299 * red + 0.587 * green + 0.114 * blue > 128 ? "#000" : "#fff";
}

/** @param {Grid} grid */
function pixelsOf(grid) {
  const { matrix, isPadding } = grid;
  const image = new ImageData(matrix.width, matrix.height);
  for (let at = 0; at < matrix.values.length; at++) {
    const [row, column] = [Math.floor(at / matrix.width), at % matrix.width];
    const color = colorAt(grid, row, column, OVERLAID);
    const [red, green, blue] = isPadding?.(row, column) ? mixed(color, PADDED, 0.5) : color;
    [image.data[4 * at], image.data[4 * at + 1], image.data[4 * at + 2], image.data[4 * at + 3]] = [red, green, blue, 255];
  }
  const canvas = el("canvas", { width: matrix.width, height: matrix.height, "aria-hidden": "true" });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** @param {Grid} grid @param {number} row @param {number} column @param {number} share - of the count's colour in it */
function colorAt({ matrix, scale, counts }, row, column, share) {
  const color = colorOf(matrix.values[row * matrix.width + column], scale);
  const count = counts?.of(row, column) ?? null;
  return count === null ? color : mixed(color, mixed([255, 255, 255], COUNTED, count / counts.most), share);
}

/** @param {number[]} color @param {number[]} other @param {number} share - of the other one @returns {number[]} */
const mixed = (color, other, share) => color.map((each, channel) => Math.round(each + share * (other[channel] - each)));

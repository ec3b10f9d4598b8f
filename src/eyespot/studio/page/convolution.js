/**
 * Convolution as deep learning has it, cross-correlation, and as mathematics has it, with the kernel turned round. In
 * 64-bit floats, the products of a window added in reading order.
 *
 * @typedef {import("./windows.js").Matrix} Matrix
 * @typedef {import("./windows.js").Slide} Slide
 * @typedef {import("./windows.js").How & {turned: boolean}} How - turned: the kernel by half a circle
 * @typedef {{output: Matrix, padded: Matrix, laid: Matrix, path: [Slide, Slide]}} Convolved - laid: the kernel as it lies
 *   on the input
 * @typedef {{patch: number[], products: number[], sum: number, rows: [number, number], columns: [number, number]}} Cell -
 *   rows and columns: the first and the last of the input that is under the window; outside it lies padding
 */

import { paddedOf, slides } from "./windows.js";

/**
 * @param {Matrix} input @param {Matrix} kernel @param {How} how
 * @returns {Convolved}
 * Throws Misfit as `slides`.
 */
export function convolved(input, kernel, how) {
  const path = slides([input.height, input.width], [kernel.height, kernel.width], how);
  const laid = how.turned ? { ...kernel, values: kernel.values.slice().reverse() } : kernel;
  const padded = paddedOf(input, path);
  const [down, across] = path;
  const values = new Float64Array(down.places * across.places);
  for (let row = 0, at = 0; row < down.places; row++)
    for (let column = 0; column < across.places; column++, at++) values[at] = sumAt(padded, laid, row * how.stride, column * how.stride);
  return { output: { height: down.places, width: across.places, values }, padded, laid, path };
}

/** @param {Matrix} padded @param {Matrix} laid @param {number} top @param {number} left */
function sumAt(padded, laid, top, left) {
  let sum = 0;
  for (let y = 0, at = 0; y < laid.height; y++) {
    const first = (top + y) * padded.width + left;
    for (let x = 0; x < laid.width; x++, at++) sum += padded.values[first + x] * laid.values[at];
  }
  return sum;
}

/** One number of the output, taken apart. @param {Convolved} found @param {number} row @param {number} column @returns {Cell} */
export function cellOf({ output, padded, laid, path: [down, across] }, row, column) {
  const [top, left] = [row * down.stride, column * across.stride];
  const patch = Array.from(laid.values, (_, at) => padded.values[(top + Math.floor(at / laid.width)) * padded.width + left + (at % laid.width)]);
  return {
    patch,
    products: patch.map((value, at) => value * laid.values[at]),
    sum: output.values[row * output.width + column],
    rows: [top - down.before, top - down.before + laid.height - 1],
    columns: [left - across.before, left - across.before + laid.width - 1],
  };
}

/** Numbers that a person writes: "1 0 -1; 1 0 -1", `;` or a new line ends a row, as for `eyespot convolve`. */

import { Misfit } from "./windows.js";

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** @typedef {import("./windows.js").Matrix} Matrix */

/** @param {number[][]} rows @returns {Matrix} */
export const matrixOf = (rows) => ({ height: rows.length, width: rows[0].length, values: Float64Array.from(rows.flat()) });

/** @param {Matrix} matrix @returns {number[][]} */
export const rowsOf = ({ height, width, values }) =>
  Array.from({ length: height }, (_, row) => Array.from(values.subarray(row * width, (row + 1) * width)));

/** A number, or a fraction such as 1/9. @param {string} text @returns {number | null} null where it is none */
export function readNumber(text) {
  const [over, under = "1", ...rest] = text.trim().replace("−", "-").split("/").map((each) => each.trim());
  if (rest.length || !NUMBER.test(over) || !NUMBER.test(under)) return null;
  const value = Number(over) / Number(under);
  return Number.isFinite(value) ? value : null;
}

/**
 * @param {string} text @param {number} most - rows and columns
 * @returns {Matrix}
 * Throws Misfit for what is empty, no number, ragged or too large.
 */
export function readMatrix(text, most) {
  const rows = text.split(/[;\n]/).filter((row) => row.trim());
  if (!rows.length) throw new Misfit("playground.misfit.empty");
  const numbers = rows.map((row, at) =>
    cells(row).map((cell) => {
      const value = readNumber(cell);
      if (value === null) throw new Misfit("playground.misfit.number", { text: cell.slice(0, 20) || "…", row: at + 1 });
      return value;
    }),
  );
  numbers.forEach(({ length }, at) => {
    if (length !== numbers[0].length) throw new Misfit("playground.misfit.ragged", { row: at + 1, count: length, first: numbers[0].length });
  });
  if (Math.max(numbers.length, numbers[0].length) > most)
    throw new Misfit("playground.misfit.many", { height: numbers.length, width: numbers[0].length, most });
  return matrixOf(numbers);
}

/** The numbers of a row as text: only one kind of sign parts them. @param {string} row */
function cells(row) {
  const sign = ["\t", ","].find((each) => row.includes(each));
  return sign ? row.split(sign).map((cell) => cell.trim()) : row.trim().split(/\s+/);
}

/** @param {Matrix} matrix @param {string} [end] - of a row @param {string} [between] @returns {string} as `readMatrix` reads it, with all digits */
export const writtenOut = (matrix, end = ";", between = " ") => rowsOf(matrix).map((row) => row.join(between)).join(end);

/** A number as it is shown. @param {number} value @param {number} [digits] - that count, at most */
export function shown(value, digits = 10) {
  const text = Number.isInteger(value) && Math.abs(value) < 10 ** digits ? `${value}` : `${Number(value.toPrecision(digits))}`;
  return value === 0 ? "0" : text.replaceAll("-", "−");
}

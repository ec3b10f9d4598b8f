/** The questions of "what is the next size?": the same number draws the same question for everybody. */

import { slides } from "./windows.js";

export const MOST = 9999; // the largest number of a question
const INPUTS = [5, 6, 7, 8, 10, 12, 14, 15, 16, 20, 24, 28, 32, 39, 48, 56, 64, 100, 112, 128, 224, 227];

/**
 * @typedef {{size: number, kernel: number, padding: number, stride: number, answer: number, formula: string}} Question -
 *   size and answer are sides of squares, pixels
 */

/** @param {number} seed - from 0 up @returns {Question} */
export function question(seed) {
  const random = generator(seed);
  const among = (/** @type {number} */ count) => Math.floor(random() * count);
  const size = INPUTS[among(INPUTS.length)];
  const kernel = 1 + among(Math.min(7, size));
  const padding = among(4);
  const stride = 1 + among(4);
  const [{ places, formula }] = slides([size, size], [kernel, kernel], { padding: `${padding}`, stride });
  return { size, kernel, padding, stride, answer: places, formula };
}

/** Mulberry32, by Tommy Ettinger, 2017. @param {number} seed @returns {() => number} the next number from 0 to 1 */
function generator(seed) {
  let state = Math.imul(seed + 1, 0x9e3779b1); // so that neighbours have little in common
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

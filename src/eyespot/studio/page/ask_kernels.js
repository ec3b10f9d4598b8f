/**
 * What the server says of the kernels of convolutions.
 *
 * @typedef {{name: string, cosine: number}} Nearest - a named kernel
 * @typedef {object} Plane - of a kernel: what one map takes from one map before it
 * @property {number} map
 * @property {number} source - the map that it is laid on
 * @property {number[]} values
 * @property {Nearest | null} nearest - null where no kernel of this size has a name
 * @property {Nearest | null} turned - the same where its sign may be turned: then the cosine is below 0
 *
 * @typedef {{of: number, kernel: [number, number], most: number, planes: Plane[]}} Planes - `most` is the end of the colours
 * @typedef {{layer: string | null, epochs: number[], said: string | null}} KernelHistory - of which layer kernels were kept
 */

import { asked } from "./ask.js";

/** @type {Promise<KernelHistory> | undefined} */
let history;

/** @returns {Promise<KernelHistory>} */
export function fetchKernelHistory() {
  history ??= asked("kernel_history");
  history.catch(() => (history = undefined));
  return history;
}

/** @type {Map<string, Promise<Planes>>} */
const kept = new Map();

/** @param {string} layer @param {number} first @param {number | null} epoch - null for the model's own @returns {Promise<Planes>} */
export function fetchPlanes(layer, first, epoch) {
  const query = { layer, first, ...(epoch === null ? {} : { epoch }) };
  const key = JSON.stringify(query);
  const found = kept.get(key) ?? asked("planes", query);
  kept.set(key, found);
  found.catch(() => kept.delete(key));
  return found;
}

/**
 * How a window slides over an input, as `eyespot convolve` and `eyespot pixel-coverage` have it: places, padding, what is
 * left over, and how many windows use each pixel.
 *
 * @typedef {{height: number, width: number, values: Float64Array}} Matrix - row by row
 * @typedef {{padding: string, stride: number}} How - padding: valid, same, reflect, replicate, circular, or a number of
 *   zeros on every side, as text
 * @typedef {object} Slide - along one side, pixels
 * @property {number} size
 * @property {number} window
 * @property {number} stride
 * @property {number} before - pixels of padding before the first pixel
 * @property {number} behind - and after the last one
 * @property {number} padded - the pixels and their padding
 * @property {number} places - how many the window takes: the size of the output
 * @property {number} dropped - pixels at the end that no window reaches
 * @property {string} formula - the sum that gives the places, filled in
 * @property {Int32Array} sources - the pixel that stands at each place of the padded side; -1 for a zero
 */

/** What cannot be computed: the key of a sentence, and what stands in its blanks. */
export class Misfit extends Error {
  /** @param {string} key @param {Record<string, string | number>} [values] */
  constructor(key, values = {}) {
    super(key);
    this.values = values;
  }
}

const MIRRORED = ["reflect", "replicate", "circular"];

/**
 * @param {[number, number]} size - rows and columns of the input @param {[number, number]} window @param {How} how
 * @returns {[Slide, Slide]} down and across
 * Throws Misfit where the window is larger than the padded input, or where there is too little to mirror.
 */
export function slides([height, width], [tall, wide], how) {
  const [down, across] = [slide(height, tall, how), slide(width, wide, how)];
  if (Math.min(down.places, across.places) < 1)
    throw new Misfit("playground.misfit.large", { tall, wide, height: down.padded, width: across.padded });
  for (const { behind, size } of [down, across])
    if (how.padding === "reflect" && behind >= size) throw new Misfit("playground.misfit.mirror", { behind, height, width });
  return [down, across];
}

/** @param {number} size @param {number} window @param {How} how @returns {Slide} */
function slide(size, window, { padding, stride }) {
  const keeps = padding === "same" || MIRRORED.includes(padding);
  const zeros = padding === "valid" ? 0 : Number(padding);
  const [before, behind] = keeps ? [Math.floor((window - 1) / 2), Math.floor(window / 2)] : [zeros, zeros];
  const padded = size + before + behind;
  const places = Math.floor((padded - window) / stride) + 1;
  const added = before === behind ? `2*${before}` : `${before} + ${behind}`;
  const formula = `floor((${size} + ${added} - ${window})/${stride}) + 1 = ${places}`;
  const sources = Int32Array.from({ length: padded }, (_, at) => source(at - before, size, padding));
  return { size, window, stride, before, behind, padded, places, dropped: (padded - window) % stride, formula, sources };
}

/** @param {number} at - below 0 or not below the size, it is padding @param {number} size @param {string} padding */
function source(at, size, padding) {
  const last = size - 1;
  if (padding === "reflect") at = last - Math.abs(last - Math.abs(at));
  else if (padding === "replicate") at = Math.max(0, Math.min(last, at));
  else if (padding === "circular") at = ((at % size) + size) % size;
  return at >= 0 && at <= last ? at : -1;
}

/** The input with its padding. @param {Matrix} input @param {[Slide, Slide]} path @returns {Matrix} */
export function paddedOf({ width, values }, [down, across]) {
  const padded = new Float64Array(down.padded * across.padded);
  down.sources.forEach((row, y) =>
    across.sources.forEach((column, x) => {
      if (row >= 0 && column >= 0) padded[y * across.padded + x] = values[row * width + column];
    }),
  );
  return { height: down.padded, width: across.padded, values: padded };
}

/** How many windows use each pixel; one that a window sees twice counts twice. @param {[Slide, Slide]} path @returns {Matrix} */
export function coverageOf([down, across]) {
  const [rows, columns] = [along(down), along(across)];
  const values = Float64Array.from({ length: down.size * across.size }, (_, at) => rows[Math.floor(at / across.size)] * columns[at % across.size]);
  return { height: down.size, width: across.size, values };
}

/** @param {Slide} slide @returns {number[]} places that reach each pixel of one side */
function along({ size, window, stride, places, sources }) {
  const counts = Array(size).fill(0);
  for (let place = 0; place < places; place++)
    for (let at = place * stride; at < place * stride + window; at++) if (sources[at] >= 0) counts[sources[at]]++;
  return counts;
}

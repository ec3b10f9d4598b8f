/**
 * What the playground computes, read from the address and put into it.
 *
 * @typedef {import("./windows.js").Matrix} Matrix
 * @typedef {object} State
 * @property {"matrix" | "picture"} input
 * @property {Matrix} matrix - the typed one
 * @property {string} named - the kernel's name, "" for one of her own
 * @property {Matrix} kernel
 * @property {import("./convolution.js").How} how
 * @property {boolean} counts - whether it is shown how many windows use each pixel
 * @property {number[] | undefined} cell - of the output that is chosen
 * @property {number} question - of the quiz
 * @property {Misfit[]} misfits - what in the address cannot be read, in whose place stands the default
 */

import { KERNELS } from "./kernels.js";
import { matrixOf, readMatrix, writtenOut } from "./matrix.js";
import { MOST as MOST_QUESTION } from "./quiz.js";
import { go } from "./state.js";
import { Misfit } from "./windows.js";

export const MOST_SIDE = 32; // of a typed matrix: it stands in the address
export const MOST_KERNEL = 7;
export const MOST_STRIDE = 16;
export const PADDINGS = ["valid", "same", "1", "2", "3", "reflect", "replicate", "circular"];
const MATRIX = "10 10 10 0 0 0";
const KERNEL = "vertical";

/** @param {import("./state.js").Place} place @returns {State} */
export function stateOf(place) {
  /** @type {Misfit[]} */
  const misfits = [];
  const tried = (/** @type {() => any} */ read, /** @type {any} */ otherwise) => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      misfits.push(error);
      return otherwise;
    }
  };
  const standard = readMatrix(Array(6).fill(MATRIX).join(";"), MOST_SIDE);
  const kernel = tried(() => kernelOf(place.kernel ?? KERNEL), matrixOf(KERNELS[KERNEL]));
  return {
    input: place.input === "picture" ? "picture" : "matrix",
    matrix: place.matrix ? tried(() => readMatrix(place.matrix, MOST_SIDE), standard) : standard,
    kernel,
    named: nameOf(kernel),
    how: {
      padding: tried(() => paddingOf(place.padding ?? "valid"), "valid"),
      stride: tried(() => whole(place.stride ?? "1", 1, MOST_STRIDE, "playground.misfit.stride"), 1),
      turned: place.turned === "yes",
    },
    counts: place.counts === "yes",
    cell: place.cell,
    question: tried(() => whole(place.question ?? "1", 1, MOST_QUESTION, "playground.misfit.question"), 1),
    misfits,
  };
}

/** @param {string} text @returns {Matrix} */
function kernelOf(text) {
  if (Object.hasOwn(KERNELS, text)) return matrixOf(KERNELS[text]);
  if (/^[a-z-]+$/i.test(text)) throw new Misfit("playground.misfit.kernel", { text: text.slice(0, 20), names: Object.keys(KERNELS).join(", ") });
  return readMatrix(text, MOST_KERNEL);
}

/** @param {string} text */
function paddingOf(text) {
  if (!PADDINGS.includes(text)) throw new Misfit("playground.misfit.padding", { text: text.slice(0, 20), names: PADDINGS.join(", ") });
  return text;
}

/** @param {string} text @param {number} least @param {number} most @param {string} key - of the sentence where it is none */
function whole(text, least, most, key) {
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text) || value < least || value > most) throw new Misfit(key, { text: text.slice(0, 20), least, most });
  return value;
}

/** The name of the kernel with these weights, or "". @param {Matrix} kernel */
function nameOf(kernel) {
  const text = writtenOut(kernel);
  return Object.keys(KERNELS).find((name) => writtenOut(matrixOf(KERNELS[name])) === text) ?? "";
}

/** @param {Matrix} kernel @param {{replace?: boolean}} [how] */
export const goKernel = (kernel, how) => go({ kernel: nameOf(kernel) || writtenOut(kernel) }, how);

/** The command that gives the same numbers. @param {State} state @param {string} picture - what stands for one */
export function commandOf({ input, matrix, kernel, named, how }, picture) {
  const quoted = (/** @type {Matrix} */ each) => {
    const text = writtenOut(each, "; ");
    return `"${text.startsWith("-") ? " " : ""}${text}${each.values.length === 1 ? ";" : ""}"`;
  };
  return [
    `eyespot convolve ${input === "picture" ? picture : quoted(matrix)} --kernel ${named || quoted(kernel)}`,
    ...(how.padding === "valid" ? [] : [`--padding ${how.padding}`]),
    ...(how.stride === 1 ? [] : [`--stride ${how.stride}`]),
    ...(how.turned ? ["--true-convolution"] : []),
  ].join(" ");
}

/**
 * A drawing as a small grey picture, framed as the training pictures were.
 *
 * MNIST's digits were scaled to fit a box of 20 x 20 pixels, and put into 28 x 28 so that their centre of mass lies in
 * the middle (LeCun et al. 1998). The lines are drawn anew at that size, so that they are equally wide in every
 * picture; only then are they made into pixels.
 */

import { drawStrokes } from "./strokes.js";

const SIDE = 28;
const LINE = 2.6; // as wide as MNIST's, pixels of the small picture
const FINER = 10; // the lines are first drawn so many times larger: their edges become smooth
const MOST_ENLARGED = 5; // a dot stays a dot

const large = document.createElement("canvas");
large.width = large.height = SIDE * FINER;
large.getContext("2d", { willReadFrequently: true });

/** @typedef {{box: number, byMass: boolean, words: string}} Framing */
/** @type {Record<string, Framing>} */
export const FRAMINGS = {
  mnist: {
    box: 20,
    byMass: true,
    words:
      "scaled to fit a box of 20 × 20 pixels and put into 28 × 28 so that its centre of mass lies in the middle, " +
      "as MNIST's pictures were made",
  },
  filling: {
    box: SIDE,
    byMass: false,
    words: "scaled until it fills a picture of 28 × 28 pixels, as the embedded digits fill theirs",
  },
};

/**
 * Draw strokes framed.
 * @param {HTMLCanvasElement} canvas - of SIDE x SIDE pixels
 * @param {import("./strokes.js").Stroke[]} strokes - may be none
 * @param {Framing} framing
 * @param {import("./strokes.js").Colours} colours
 */
export function frame(canvas, strokes, framing, colours) {
  const lightOnDark = (/** @type {import("./strokes.js").Point} */ middle) => {
    const place = placing(strokes, framing.box, middle);
    drawStrokes(large, strokes, { width: LINE * FINER, place, colours: { ink: "#fff", ground: "#000" } });
    return averaged();
  };
  let gray = lightOnDark([SIDE / 2, SIDE / 2]);
  if (framing.byMass && strokes.length) {
    const [across, down] = centreOfMass(gray);
    gray = lightOnDark([SIDE - across, SIDE - down]);
  }
  show(canvas, colours.ink === "#fff" ? gray : gray.map((value) => 255 - value));
}

/**
 * Where each point goes, so that the lines fill a box around `middle`.
 * @param {import("./strokes.js").Stroke[]} strokes
 * @param {number} box - its side, pixels
 * @param {import("./strokes.js").Point} middle
 * @returns {import("./strokes.js").Placing}
 */
function placing(strokes, box, middle) {
  const [across, down] = [0, 1].map((axis) => {
    const places = strokes.flat().map((point) => point[axis]);
    return { least: Math.min(...places), most: Math.max(...places) };
  });
  const longest = Math.max(across.most - across.least, down.most - down.least);
  const scale = Math.min((box - LINE) / longest, MOST_ENLARGED * SIDE);
  const along = (/** @type {number} */ at, /** @type {typeof across} */ { least, most }, /** @type {number} */ to) =>
    FINER * (to + scale * (at - (least + most) / 2));
  return ([x, y]) => [along(x, across, middle[0]), along(y, down, middle[1])];
}

/** @returns {number[]} SIDE x SIDE grey levels of what is drawn large, each the mean of its square */
function averaged() {
  const { data, width } = large.getContext("2d").getImageData(0, 0, large.width, large.height);
  const sums = new Array(SIDE * SIDE).fill(0);
  for (let at = 0; at < width * width; at++) {
    const [row, column] = [Math.floor(at / width / FINER), Math.floor((at % width) / FINER)];
    sums[row * SIDE + column] += data[4 * at];
  }
  return sums.map((sum) => Math.round(sum / (FINER * FINER)));
}

/** @param {number[]} gray @returns {import("./strokes.js").Point} in pixels */
function centreOfMass(gray) {
  let [mass, across, down] = [0, 0, 0];
  gray.forEach((value, at) => {
    mass += value;
    across += value * ((at % SIDE) + 0.5);
    down += value * (Math.floor(at / SIDE) + 0.5);
  });
  return [across / mass, down / mass];
}

/** @param {HTMLCanvasElement} canvas @param {number[]} gray */
function show(canvas, gray) {
  const pixels = new ImageData(SIDE, SIDE);
  gray.forEach((value, at) => pixels.data.set([value, value, value, 255], 4 * at));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** A small picture as a file, at once: `toBlob` waits until the browser has nothing else to do. @param {HTMLCanvasElement} canvas */
export function pngOf(canvas) {
  const bytes = atob(canvas.toDataURL("image/png").split(",")[1]);
  return new Blob([Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))], { type: "image/png" });
}

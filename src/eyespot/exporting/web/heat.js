/** The heat map in colors that can be seen through, as `eyespot.explaining.heat` draws it. */

const LONGER_SIDE = 224; // of the overlay, pixels
const SHARES = [0, 0.25, 0.5, 0.75, 1];
const COLORS = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];
const OPACITY = [0.55, 0.45, 0.45, 0.5, 0.6];

/**
 * @param {{data: Float32Array, dims: number[]}} heat - what each place added to the score of the class
 * @param {{class: string, seen: import("./pixels.js").Seen, model: any}} about
 * @returns {Promise<any>} as the server's `heat_map`
 */
export async function heatMap(heat, { class: name, seen, model }) {
  const [down, across] = model.preprocess.crop_hw.map((side) =>
    Math.max(1, Math.round((LONGER_SIDE * side) / Math.max(...model.preprocess.crop_hw))),
  );
  const largest = Math.max(...heat.data);
  const shares = Array.from(heat.data, (value) => (largest > 0 ? Math.max(0, value) / largest : 0));
  const pixels = new ImageData(across, down);
  resized(shares, heat.dims, [down, across]).forEach((share, at) => pixels.data.set(colorOf(share), 4 * at));
  return {
    class: name,
    method: "class activation map",
    png: await asPng(pixels),
    window: windowOf(seen, model.preprocess),
    sentence: `It shows where the network found what raised its score for '${name}', not why, and not whether the answer is right.`,
  };
}

/** @param {number} share @returns {number[]} RGBA */
function colorOf(share) {
  const at = Math.min(1, Math.max(0, share)) * (SHARES.length - 1);
  const low = Math.min(Math.floor(at), SHARES.length - 2);
  const between = (/** @type {number[]} */ values) => values[low] + (at - low) * (values[low + 1] - values[low]);
  return [0, 1, 2].map((channel) => between(COLORS.map((color) => color[channel]))).concat(255 * between(OPACITY));
}

/** Pillow's bicubic filter, in both directions. @param {number[]} values @param {number[]} from @param {number[]} to */
function resized(values, [rows, columns], [down, across]) {
  const [vertical, horizontal] = [weights(rows, down), weights(columns, across)];
  const wide = horizontal.map((weight) => Array.from({ length: rows }, (_, row) => sum(weight, (at) => values[row * columns + at])));
  return vertical.flatMap((weight) => wide.map((column) => sum(weight, (row) => column[row])));
}

/** @param {number} from @param {number} to - at least as long @returns {[number, number][][]} the places of each, and their weights */
function weights(from, to) {
  const scale = from / to;
  const reach = 2 * Math.max(1, scale);
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const [first, end] = [Math.max(0, Math.trunc(centre - reach + 0.5)), Math.min(from, Math.trunc(centre + reach + 0.5))];
    const found = Array.from({ length: end - first }, (_, step) => cubic((first + step + 0.5 - centre) / Math.max(1, scale)));
    const total = found.reduce((a, b) => a + b, 0);
    return found.map((weight, step) => [first + step, weight / total]);
  });
}

/** @param {number} away */
function cubic(away) {
  const x = Math.abs(away);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** @param {[number, number][]} weight @param {(at: number) => number} value */
function sum(weight, value) {
  return weight.reduce((total, [at, share]) => total + share * value(at), 0);
}

/** What the model saw of the picture. @param {import("./pixels.js").Seen} seen @param {any} preprocess */
function windowOf({ width, height }, { short_side, crop_hw }) {
  const along = (/** @type {number} */ side, /** @type {number} */ other, /** @type {number} */ crop) => {
    const long = side <= other ? short_side : Math.trunc((short_side * side) / other);
    const half = (long - crop) / 2;
    const offset = Math.floor(half) + (half % 1 ? Math.abs(Math.floor(half) % 2) : 0); // rounded half to even
    return [offset / long, crop / long];
  };
  const [[left, across], [top, down]] = [along(width, height, crop_hw[1]), along(height, width, crop_hw[0])];
  return [left, top, across, down];
}

/** @param {ImageData} pixels @returns {Promise<string>} a PNG in base64 */
async function asPng(pixels) {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

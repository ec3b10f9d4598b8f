/** Numbers as colours, as `eyespot feature-maps` draws them: grey without negative ones, else blue, white and red. */

const BLACK = [0, 0, 0];
const BELOW = [33, 102, 172];
const ZERO = [255, 255, 255];
const ABOVE = [178, 24, 43];

/** @param {ArrayLike<number>} values @returns {{most: number, signed: boolean}} the scale of these numbers */
export function scaleOf(values) {
  let [least, most] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    least = Math.min(least, values[at]);
    most = Math.max(most, values[at]);
  }
  return { most: Math.max(-least, most) || 1, signed: least < 0 };
}

/** @param {number} value @param {{most: number, signed: boolean}} scale @returns {number[]} red, green, blue */
export function colorOf(value, scale) {
  const pixel = [0, 0, 0, 0];
  paint(pixel, 0, [value], scale);
  return pixel.slice(0, 3);
}

/**
 * Writes a pixel for each number, four bytes, without an array of its own.
 * @param {Uint8ClampedArray | number[]} pixels @param {number} first - the byte to begin at
 * @param {ArrayLike<number>} values @param {{most: number, signed: boolean}} scale
 */
export function paint(pixels, first, values, { most, signed }) {
  for (let at = 0, byte = first; at < values.length; at++) {
    const share = Math.max(-1, Math.min(1, values[at] / most));
    const [from, to, size] = signed ? [ZERO, share < 0 ? BELOW : ABOVE, Math.abs(share)] : [BLACK, ZERO, share];
    for (let channel = 0; channel < 3; channel++) pixels[byte++] = Math.round(from[channel] + size * (to[channel] - from[channel]));
    pixels[byte++] = 255;
  }
}

/**
 * @param {ArrayLike<number>} values @param {number} width
 * @param {{most: number, signed: boolean}} [scale] - by default their own
 * @returns {ImageData}
 */
export function imageOf(values, width, scale = scaleOf(values)) {
  const image = new ImageData(width, values.length / width);
  paint(image.data, 0, values, scale);
  return image;
}

/** A canvas of these numbers, a pixel each; CSS makes it larger. @param {ArrayLike<number>} values @param {number} width */
export function canvasOf(values, width, scale = scaleOf(values)) {
  const canvas = document.createElement("canvas");
  const image = imageOf(values, width, scale);
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** @param {number} value @returns {string} with as many digits as tell it apart */
export function written(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const digits = size >= 1000 ? 1 : size >= 1 ? 3 : 4;
  return size < 0.001 ? value.toExponential(2).replace("-", "−") : value.toFixed(digits).replace("-", "−");
}

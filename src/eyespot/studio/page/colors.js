/** Numbers as colours, as `eyespot feature-maps` draws them: grey without negative ones, else blue, white and red. */

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
export function colorOf(value, { most, signed }) {
  const share = Math.max(-1, Math.min(1, value / most));
  if (!signed) return Array(3).fill(Math.round(255 * share));
  const end = share < 0 ? BELOW : ABOVE;
  return ZERO.map((zero, channel) => Math.round(zero + Math.abs(share) * (end[channel] - zero)));
}

/**
 * @param {ArrayLike<number>} values @param {number} width
 * @param {{most: number, signed: boolean}} [scale] - by default their own
 * @returns {ImageData}
 */
export function imageOf(values, width, scale = scaleOf(values)) {
  const image = new ImageData(width, values.length / width);
  for (let at = 0; at < values.length; at++) image.data.set([...colorOf(values[at], scale), 255], 4 * at);
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

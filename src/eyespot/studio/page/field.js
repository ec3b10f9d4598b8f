/** The pixels of the picture that a number depends on, and a frame around them. */

/** Row and column of a number in the maps that its layer is, or was made of. @param {import("./ask.js").Layer} layer @param {number} map @param {number[]} cell */
export function spotOf({ grid }, map, cell) {
  if (!grid) return cell;
  const [, height, width] = grid;
  return [Math.floor((map % (height * width)) / width), map % width];
}

/**
 * @param {import("./ask.js").Layer} layer - one whose field is known
 * @param {number[]} cell - row and column, as `spotOf` has them
 * @param {number[]} sides - the picture's height and width
 * @returns {number[]} first and last row, first and last column, whole pixels of the picture
 */
export function fieldOf(layer, cell, sides) {
  return [0, 1].flatMap((way) => {
    const middle = layer.centre[way] + (cell[way] ?? 0) * layer.jump[way];
    const [first, last] = [-1, 1].map((sign) => Math.round(middle + (sign * (layer.field[way] - 1)) / 2));
    return [Math.max(0, first), Math.min(sides[way] - 1, last)];
  });
}

/** @param {HTMLElement} frame - lies on the picture @param {number[]} field @param {number[]} sides */
export function placeFrame(frame, [top, bottom, left, right], [height, width]) {
  const share = (/** @type {number} */ pixels, /** @type {number} */ of) => `${(100 * pixels) / of}%`;
  frame.style.left = share(left, width);
  frame.style.top = share(top, height);
  frame.style.width = share(right + 1 - left, width);
  frame.style.height = share(bottom + 1 - top, height);
}

/** What one plane of a kernel makes of one map: a partial map. */

/**
 * @param {Float32Array} input - the map @param {Float32Array} weights - the plane
 * @param {import("./ask.js").Layer} layer - whose window slides
 * @returns {Float32Array}
 */
export function convolved(input, weights, layer) {
  const [, rows, columns] = layer.input;
  const [, height, width] = layer.output;
  const [tall, wide] = layer.weight.slice(2);
  const [down, across] = layer.stride;
  const [above, , left] = layer.padding;
  const [deep, broad] = layer.dilation;
  const made = new Float32Array(height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let sum = 0;
      for (let y = 0; y < tall; y++) {
        const from = row * down - above + y * deep;
        if (from < 0 || from >= rows) continue;
        for (let x = 0; x < wide; x++) {
          const at = column * across - left + x * broad;
          if (at >= 0 && at < columns) sum += input[from * columns + at] * weights[y * wide + x];
        }
      }
      made[row * width + column] = sum;
    }
  }
  return made;
}

/** Kernels that have a name, as `eyespot convolve` knows them: a test holds them equal to its own. */

/** @type {Record<string, number[][]>} */
export const KERNELS = {
  "vertical": [[1, 0, -1], [1, 0, -1], [1, 0, -1]],
  "horizontal": [[1, 1, 1], [0, 0, 0], [-1, -1, -1]],
  "prewitt-x": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
  "prewitt-y": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
  "sobel-x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
  "sobel-y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
  "scharr-x": [[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]],
  "scharr-y": [[-3, -10, -3], [0, 0, 0], [3, 10, 3]],
  "laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
  "gaussian": [[0.0625, 0.125, 0.0625], [0.125, 0.25, 0.125], [0.0625, 0.125, 0.0625]],
  "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
};

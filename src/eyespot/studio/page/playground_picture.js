/** The picture of the playground: hers, that on the network's desk, or an example; in grey levels, as a matrix. */

import { imageAddress } from "./ask.js";
import { Misfit } from "./windows.js";

export const MOST_PIXELS = 128; // of a side: a larger picture is reduced
const EXAMPLE_SIDE = 64;

/** @typedef {{matrix: import("./windows.js").Matrix, from: "own" | "desk" | "example"}} Picture */

/** @type {Picture | null} */
let own = null;
/** @type {{number: string, picture: Picture} | null} */
let desk = null;

/** Take what was chosen, dropped or pasted. @param {Blob} file - Throws Misfit for what is no picture to the browser. */
export async function takePicture(file) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Misfit("playground.misfit.picture");
  });
  own = { matrix: gray(bitmap, bitmap.width, bitmap.height), from: "own" };
  bitmap.close();
}

/** From now on, that on the desk. */
export function forgetOwn() {
  own = null;
}

/** @param {string | undefined} number - of the picture on the network's desk @returns {Promise<Picture>} */
export async function pictureOf(number) {
  if (own) return own;
  if (!number) return { matrix: example(), from: "example" };
  if (desk?.number !== number) {
    const image = new Image();
    image.src = imageAddress(number);
    await image.decode().catch(() => {
      throw new Misfit("playground.misfit.desk");
    });
    desk = { number, picture: { matrix: gray(image, image.naturalWidth, image.naturalHeight), from: "desk" } };
  }
  return desk.picture;
}

/** Grey levels from 0 to 255, as Pillow has them. @param {CanvasImageSource} image @param {number} width @param {number} height */
function gray(image, width, height) {
  const share = Math.min(1, MOST_PIXELS / Math.max(width, height));
  const [wide, high] = [width, height].map((side) => Math.max(1, Math.round(side * share)));
  const context = new OffscreenCanvas(wide, high).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff"; // below what is transparent
  context.fillRect(0, 0, wide, high);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, wide, high);
  const { data } = context.getImageData(0, 0, wide, high);
  const values = Float64Array.from({ length: wide * high }, (_, at) => {
    const [red, green, blue] = data.subarray(4 * at, 4 * at + 3);
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  });
  return { height: high, width: wide, values };
}

/** A disc, a square and stripes on a slope of grey: edges of every direction. */
function example() {
  const side = EXAMPLE_SIDE;
  const values = Float64Array.from({ length: side * side }, (_, at) => {
    const [y, x] = [Math.floor(at / side), at % side];
    if (Math.hypot(y - 20, x - 20) < 13) return 230;
    if (y >= 8 && y < 28 && x >= 39 && x < 57) return 30;
    if (y >= 39 && y < 57) return x < 32 ? (Math.floor((x + y) / 5) % 2 ? 200 : 60) : Math.floor(x / 4) % 2 ? 220 : 90;
    return 110 + Math.floor(x / 2);
  });
  return { height: side, width: side, values };
}

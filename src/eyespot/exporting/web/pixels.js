/** A picture's file as the pixels that the model takes, as eyespot decodes it, as far as a browser can. */

const MOST_PIXELS = 50_000_000;
const MARGIN = 1.25; // a reduced picture stays so many times larger than the model's short side
const REDUCTIONS = [8, 4, 2]; // those of libjpeg
const LARGE = 4_000_000; // pixels from which on others than JPEGs are reduced, too: the model would take seconds
const MARGIN_OF_OTHERS = 2;
const BAND = 2 ** 20; // pixels that are looked at at a time: a phone has no canvas for all of a large photo
const UNREADABLE = "This browser cannot read the picture: save it as JPEG or PNG, and look whether it is whole.";

/**
 * @typedef {object} Seen
 * @property {Uint8Array} data - height x width x channels
 * @property {number} width - of what the model is given, pixels
 * @property {number} height
 * @property {{width: number, height: number}} picture - of all of the upright picture
 */

/** @param {Blob} file @param {any} model - what `model.json` says @returns {Promise<Seen>} */
export async function pixelsOf(file, model) {
  const { exact, short_side, color } = model.preprocess;
  const bitmap = await createImageBitmap(file, {
    imageOrientation: "from-image",
    colorSpaceConversion: exact ? "none" : "default",
  }).catch(() => {
    throw new Error(UNREADABLE);
  });
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) throw new Error("The picture has more than 50 megapixels: make it smaller.");
  const by = reduction({ width, height }, short_side, { exact, isJpeg: await isJpeg(file) });
  const seen = reduced(bitmap, by, color === "gray" ? 1 : 3);
  bitmap.close();
  return { ...seen, picture: { width, height } };
}

/** @param {{width: number, height: number}} size @param {number} shortSide @param {{exact: boolean, isJpeg: boolean}} how */
function reduction({ width, height }, shortSide, { exact, isJpeg }) {
  const isLarge = width * height > LARGE;
  if (!(isLarge || (isJpeg && !exact))) return 1;
  const least = Math.ceil(shortSide * (isJpeg && !exact ? MARGIN : MARGIN_OF_OTHERS));
  const most = Math.min(Math.floor(width / least), Math.floor(height / least));
  return REDUCTIONS.find((by) => by <= most) ?? 1;
}

/** @param {Blob} file */
async function isJpeg(file) {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  return first === 0xff && second === 0xd8;
}

/** Means of squares of `by` pixels, those at the edges cut. @param {ImageBitmap} bitmap @param {number} by @param {number} channels */
function reduced(bitmap, by, channels) {
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.ceil(side / by));
  const data = new Uint8Array(width * height * channels);
  const rows = by * Math.max(1, Math.floor(BAND / bitmap.width / by));
  const canvas = new OffscreenCanvas(bitmap.width, Math.min(rows, bitmap.height));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  for (let top = 0; top < bitmap.height; top += rows) {
    const tall = Math.min(rows, bitmap.height - top);
    context.fillStyle = "#fff"; // what is transparent shows white
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, top, bitmap.width, tall, 0, 0, bitmap.width, tall);
    const band = context.getImageData(0, 0, bitmap.width, tall);
    const into = data.subarray((top / by) * width * channels);
    const colors = by === 1 ? band.data : means(band, by);
    if (channels === 1) asGray(colors, into);
    else asRgb(colors, into);
  }
  return { data, width, height };
}

/** @param {ImageData} band @param {number} by @returns {Uint8ClampedArray} RGBA of its squares */
function means({ data, width, height }, by) {
  const [across, down] = [width, height].map((side) => Math.ceil(side / by));
  const sums = new Uint32Array(4 * across * down);
  for (let y = 0, from = 0; y < height; y++) {
    const row = 4 * across * Math.floor(y / by);
    for (let x = 0; x < width; x++, from += 4) {
      const to = row + 4 * Math.floor(x / by);
      for (let channel = 0; channel < 4; channel++) sums[to + channel] += data[from + channel];
    }
  }
  // those at the edges have the fewer pixels; alpha counts them, being 255 everywhere
  return new Uint8ClampedArray(sums.length).map((_, at) => (255 * sums[at]) / sums[at | 3]);
}

/** @param {Uint8ClampedArray} rgba @param {Uint8Array} into */
function asRgb(rgba, into) {
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    into[to] = rgba[from];
    into[to + 1] = rgba[from + 1];
    into[to + 2] = rgba[from + 2];
  }
}

/** Pillow's luma, in its whole numbers. @param {Uint8ClampedArray} rgba @param {Uint8Array} into */
function asGray(rgba, into) {
  for (let from = 0, to = 0; from < rgba.length; from += 4, to++)
    into[to] = (19595 * rgba[from] + 38470 * rgba[from + 1] + 7471 * rgba[from + 2] + 0x8000) >> 16;
}

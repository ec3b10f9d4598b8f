/**
 * A layer's maps side by side on one canvas, drawn to scale: a large map is drawn large, a number of a vector is a small
 * square; so what is a wall at the picture is a pole at the answer.
 *
 * @typedef {object} Sheet
 * @property {number} count - of the maps that are shown
 * @property {number} height - of a map, its own numbers
 * @property {number} width
 * @property {number} zoom - pixels of the screen a number takes
 * @property {number} rows - of maps
 * @property {number} columns
 */

import { paint, scaleOf } from "./colors.js";

const TALL = 216; // pixels: as high as a column of maps may become
const LARGEST = 96; // of a side of the largest map
const SMALLEST = 6;
const GAP = 2;
export const MOST = 16; // maps of a layer that are not small
const SMALL = 20_000; // numbers of a layer that is shown whole

/** @param {number[]} output - a layer's shape @param {number} side - the longer one of the picture */
export function sheetOf(output, side) {
  const [maps, height, width] = output.length === 3 ? output : [output[0], 1, 1];
  const count = maps * height * width > SMALL ? Math.min(maps, MOST) : Math.min(maps, 1024);
  const zoom = height * width === 1 ? SMALLEST : Math.max(LARGEST / side, SMALLEST / Math.max(height, width));
  const rows = Math.max(1, Math.min(count, Math.floor((TALL + GAP) / (zoom * height + GAP))));
  return { count, height, width, zoom, rows, columns: Math.ceil(count / rows) };
}

/** Where a map lies on the sheet, pixels. @param {Sheet} sheet @param {number} map */
export function cornerOf({ height, width, zoom, rows }, map) {
  return [Math.floor(map / rows) * (width * zoom + GAP), (map % rows) * (height * zoom + GAP)];
}

/** The map, row and column at a point of the sheet. @param {Sheet} sheet @param {number} x @param {number} y */
export function placeAt(sheet, x, y) {
  const { height, width, zoom, rows, count } = sheet;
  const map = Math.floor(x / (width * zoom + GAP)) * rows + Math.min(rows - 1, Math.floor(y / (height * zoom + GAP)));
  const [left, top] = cornerOf(sheet, map);
  const [row, column] = [Math.floor((y - top) / zoom), Math.floor((x - left) / zoom)];
  return map < count && row >= 0 && row < height && column >= 0 && column < width ? { map, row, column } : null;
}

/**
 * @param {HTMLCanvasElement} canvas @param {Sheet} sheet @param {Float32Array} values - of the maps that are shown
 * Each map has a scale of its own, a vector one for all.
 */
export function drawSheet(canvas, sheet, values) {
  const { count, height, width, zoom, rows, columns } = sheet;
  const size = [columns * (width * zoom + GAP) - GAP, rows * (height * zoom + GAP) - GAP].map(Math.ceil);
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  const signed = values.some((value) => value < 0);
  const common = height * width === 1 ? scaleOf(values) : null;
  const small = new ImageData(width, height * count); // the maps below each other
  for (let map = 0, numbers = height * width; map < count; map++) {
    const own = values.subarray(map * numbers, (map + 1) * numbers);
    paint(small.data, 4 * map * numbers, own, common ?? { most: scaleOf(own).most, signed });
  }
  const source = new OffscreenCanvas(width, height * count);
  source.getContext("2d").putImageData(small, 0, 0);
  context.clearRect(0, 0, ...size);
  context.imageSmoothingEnabled = false;
  for (let map = 0; map < count; map++) {
    context.drawImage(source, 0, map * height, width, height, ...cornerOf(sheet, map), width * zoom, height * zoom);
  }
}

/**
 * What the server says of the run's own pictures.
 *
 * @typedef {"test" | "val" | "train"} Part
 * @typedef {object} Own - whether the run's pictures are found
 * @property {"looking" | "found" | "missing"} state
 * @property {"catalogue" | "bundle" | "moved" | null} why - there are none
 * @property {string} said - the same in a sentence
 * @property {number} done - pictures looked at
 * @property {number} of
 * @property {{part: Part, count: number, missing: number}[]} parts
 * @property {Part[]} answered - the parts that the run has answers to
 * @property {string | null} first - the picture to begin with
 *
 * @typedef {object} OwnPicture
 * @property {string | null} picture - its id; null where it is not found
 * @property {string} name
 * @property {Part} part
 * @property {number | null} truth - number of its class
 * @property {number | null} answer - number of the class that was answered
 * @property {number | null} probability
 * @property {string | null} why - what an audit says against it
 * @property {string | null} likelier - the class that it may be of instead
 *
 * @typedef {OwnPicture & {value: number, place: number[]}} Exciting - a map's largest number, its row and column
 * @typedef {{accuracy: {accuracy: number, low: number, high: number, n: number} | null, shown: number[],
 *   matrix: number[][], support: number[], mixed_up: number, most: [number, number, number][]}} Confusion
 * @typedef {{pictures: OwnPicture[], more: number, of: number}} Mistakes - `of` as the matrix counts them
 */

import { addressOn, asked } from "./ask.js";

/** @returns {Promise<Own>} */
export const fetchOwn = () => asked("own");

/** @param {Part} part @param {number} first @returns {Promise<{of: number, pictures: OwnPicture[]}>} */
export const fetchOwnPictures = (part, first) => asked("own_pictures", { part, first });

/** @param {Part} part @returns {Promise<Confusion>} */
export const fetchConfusion = (part) => asked("confusion", { part });

/** @param {Part} part @param {{truth: number, answer: number} | null} cell @returns {Promise<Mistakes>} */
export const fetchMistakes = (part, cell) => asked("mistakes", { part, ...cell });

/**
 * @param {string} layer @param {number} map
 * @returns {Promise<{state: "working", done: number, of: number} | {state: "found", looked: number, of: number, pictures: Exciting[]}>}
 */
export const fetchExciting = (layer, map) => asked("exciting", { layer, map });

/** @param {string} picture @returns {string} */
export const thumbnailAddress = (picture) => addressOn("thumbnail", { picture });

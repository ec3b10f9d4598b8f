/**
 * What the page does for each task that a model may have.
 *
 * @typedef {object} Figure
 * @property {string} text - the figure that counts most
 * @property {number} at - the same as a share, 0 to 1
 * @property {number} low - of its 95 % interval
 * @property {number} high
 * @property {string} sentence
 *
 * @typedef {object} Task
 * @property {(model: any) => string} network - what was trained, in words
 * @property {(model: any) => string} looksAt - the images that it takes, in words
 * @property {(model: any) => Figure | null} figure - null where nothing was measured
 * @property {string} unmeasured - what is said then
 * @property {(model: any) => Record<string, string | number>} options - of `POST /predict`
 * @property {(card: HTMLElement, model: any) => void} prepare - before there is an answer, so that nothing moves then
 * @property {(answer: any) => boolean} canShow
 * @property {(card: HTMLElement, answer: any, about: {name: string, model: any}) => string} show - gives the answer
 *   in a sentence
 */

import { classification } from "./classification.js";
import { detection } from "./detection.js";
import { multilabel } from "./multilabel.js";

/** @type {Record<string, Task>} */
const TASKS = { classification, detection, multilabel };

/** @param {import("./api.js").Model} model @returns {Task} */
export function taskOf(model) {
  return TASKS[model.task];
}

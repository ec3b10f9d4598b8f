/**
 * The model without a server: it is asked in a worker, so that the page stays alive meanwhile. What is asked and
 * answered is what the `api.js` of `eyespot serve` says.
 *
 * @typedef {{data: Uint8Array, width: number, height: number}} Pixels - height x width x channels
 */

import { byId, say } from "./elements.js";
import { keepForOffline, takeNewest } from "./offline.js";
import { vouchedFor } from "./vouched.js";

const UNREACHABLE = "The page's files cannot be loaded: look whether this device is online, then load the page again.";
const DAMAGED = "What the page knows of its model (model.json) is damaged: load the page again, or export it anew.";
/** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void}>} what is being asked */
const waiting = new Map();
let asked = 0;
/** @type {Promise<any> | null} */
let described = null;
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => receive(data);
worker.onerror = (event) => {
  event.preventDefault();
  fail(UNREACHABLE);
};

/** @returns {Promise<any>} the model, in the words of `GET /model` */
export function fetchModel() {
  described ??= describe();
  return described;
}

/**
 * @param {Blob} picture
 * @param {string} name
 * @param {Record<string, number>} options - as `POST /predict` takes them
 */
export function predict(picture, name, options) {
  return ask({ picture, options });
}

/** @param {Pixels} pixels - decoded elsewhere @returns {Promise<Record<string, number[]>>} what the graph gives */
export function outputsOf(pixels) {
  return ask({ pixels });
}

/** @param {Record<string, any>} question @returns {Promise<any>} */
function ask(question) {
  return new Promise((resolve, reject) => {
    waiting.set(++asked, { resolve, reject });
    worker.postMessage({ ...question, number: asked });
  });
}

async function describe() {
  await takeNewest();
  const response = await fetch(new URL("../model.json", import.meta.url)).catch(() => null);
  if (!response?.ok) throw new Error(UNREACHABLE);
  const model = await vouchedFor(await response.text()).catch(() => null);
  if (!model) throw new Error(DAMAGED);
  worker.postMessage({ model });
  return model;
}

/** @param {any} message - from the worker */
function receive({ number, answer, error, loaded, ready, failed }) {
  if (failed) fail(failed);
  else if (ready) begin();
  else if (loaded !== undefined) say(byId("loading"), loaded < 1 ? `Loading the model: ${Math.floor(100 * loaded)}\u00a0%` : "Starting the model");
  else {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (error) reject(new Error(error));
    else resolve(answer);
  }
}

function begin() {
  say(byId("loading"));
  keepForOffline(() => say(byId("kept"), "This page is kept on this device, and works without a network, too."));
}

/** @param {string} sentence - why the model answers nothing */
function fail(sentence) {
  say(byId("loading"));
  say(byId("trouble"), sentence);
  for (const { reject } of waiting.values()) reject(new Error(sentence));
  waiting.clear();
}

/**
 * What the server answers: the model, and the classes of a picture. The only file that talks to it.
 *
 * @typedef {{accuracy: number, low: number, high: number, n: number}} Metric
 * @typedef {Metric & {part: string, sentence: string}} Measured
 * @typedef {object} Model
 * @property {string} name
 * @property {string[]} classes
 * @property {string} network
 * @property {string} regime
 * @property {number} side - of the square images the network takes, pixels
 * @property {"rgb" | "gray"} color
 * @property {boolean} draws - small grey pictures: they can be drawn
 * @property {"mnist" | "filling"} [framing] - how a drawing is framed like the training pictures
 * @property {Metric | null} validation
 * @property {Metric | null} test
 * @property {Measured | null} measured - the accuracy that the report begins with
 * @property {boolean} heat_map
 * @property {boolean} similar
 * @property {string} version
 * @property {string} fingerprint
 *
 * @typedef {{class: string, probability: number}} Prediction
 * @typedef {{class: string, similarity: number, jpeg: string}} Neighbour
 * @typedef {object} HeatMap
 * @property {string} class
 * @property {string} method
 * @property {string} png - base64
 * @property {[number, number, number, number]} window - left, top, width, height: fractions of the upright picture
 * @property {string} sentence
 * @typedef {object} Answer
 * @property {number} width - of the upright picture, pixels
 * @property {number} height
 * @property {Prediction[]} predictions
 * @property {HeatMap} [heat_map]
 * @property {Neighbour[]} [similar]
 * @property {string} fingerprint - of the model that answered
 */

import { askForToken, token } from "./token.js";

const BUSY = 503;
const UNAUTHORIZED = 401;
const MOST_TRIES = 4;
const LONGEST_WAIT_SECONDS = 5;

/** What went wrong, as a sentence to show. */
export class ServerError extends Error {
  /** @param {string} reason - the server's, with neither capital nor full stop */
  constructor(reason) {
    super(`${reason[0].toUpperCase()}${reason.slice(1)}.`);
  }
}

/** @returns {Promise<Model>} the model that is served */
export async function fetchModel() {
  return (await request("model")).json();
}

/**
 * @param {Blob} picture
 * @param {string} name - of the picture
 * @param {{topk: number, heatMap?: boolean, similar?: number}} options
 * @returns {Promise<Answer>} the classes of one picture
 */
export async function classify(picture, name, { topk, heatMap = false, similar = 0 }) {
  const form = new FormData();
  form.append("picture", picture, name);
  const query = new URLSearchParams({ topk: `${topk}`, heat_map: heatMap ? "1" : "0", similar: `${similar}` });
  const { answers, fingerprint } = await (await request(`predict?${query}`, form)).json();
  if (answers[0].error) throw new ServerError(answers[0].error);
  return { ...answers[0], fingerprint };
}

/**
 * The server's answer, once it has time and knows the token.
 * @param {string} path
 * @param {FormData} [body] - posted where there is one
 */
async function request(path, body) {
  for (let tries = 1; ; tries++) {
    const response = await send(path, body);
    if (response.ok) return response;
    if (response.status === UNAUTHORIZED) await askForToken();
    else if (response.status === BUSY && tries < MOST_TRIES) await pause(response.headers.get("Retry-After"));
    else throw new ServerError(await reason(response));
  }
}

/** @param {string} path @param {FormData} [body] */
async function send(path, body) {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  try {
    return await fetch(path, { method: body ? "POST" : "GET", body, headers });
  } catch {
    throw new ServerError("the server cannot be reached: look whether `eyespot serve` is still running, then try again");
  }
}

/** @param {string | null} seconds - that the server wants to be left alone for */
function pause(seconds) {
  const wait = Math.min(Number(seconds) || 1, LONGEST_WAIT_SECONDS);
  return new Promise((resolve) => setTimeout(resolve, 1000 * wait));
}

/** @param {Response} response */
async function reason(response) {
  const body = await response.json().catch(() => ({}));
  return body.error ?? `The server answered with the status ${response.status}, and gave no reason`;
}

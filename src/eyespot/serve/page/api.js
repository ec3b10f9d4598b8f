/**
 * What the server answers: the model, what it says of a picture, painted pictures. The only file that talks to it.
 *
 * @typedef {{accuracy: number, low: number, high: number, n: number}} Metric
 * @typedef {Metric & {part: string, sentence: string}} Measured
 * @typedef {{value: number, low: number, high: number}} Estimate
 * @typedef {{map50: Estimate, sentence: string}} MeasuredBoxes
 * @typedef {{map: Estimate, sentence: string}} MeasuredLabels
 *
 * @typedef {object} Model - of any task
 * @property {string} name
 * @property {"classification" | "detection" | "multilabel"} task
 * @property {string[]} classes
 * @property {string} network
 * @property {"rgb" | "gray"} color
 * @property {string} version
 * @property {string} fingerprint
 * @property {Paints} [paint] - where the server paints, too
 *
 * @typedef {object} ClassifierOnly
 * @property {string} regime
 * @property {number} side - of the square images the network takes, pixels
 * @property {boolean} draws - small grey pictures: they can be drawn
 * @property {"mnist" | "filling"} [framing] - how a drawing is framed like the training pictures
 * @property {Metric | null} validation
 * @property {Metric | null} test
 * @property {Measured | null} measured - the accuracy that the report begins with
 * @property {boolean} heat_map
 * @property {boolean} similar
 * @typedef {Model & ClassifierOnly} Classifier
 *
 * @typedef {object} DetectorOnly
 * @property {string[]} colors - of the boxes of each class, as CSS writes them
 * @property {number} width - of the images the network takes, pixels
 * @property {number} height
 * @property {number} threshold - least probability of the boxes that it names by itself
 * @property {number} max_boxes - that it names of one picture
 * @property {MeasuredBoxes | null} measured
 * @typedef {Model & DetectorOnly} Detector
 *
 * @typedef {object} LabellerOnly
 * @property {number[]} thresholds - of each label: the probability from which on it is answered
 * @property {number} width - of the images the network takes, pixels
 * @property {number} height
 * @property {boolean} heat_map
 * @property {MeasuredLabels | null} measured
 * @typedef {Model & LabellerOnly} Labeller
 *
 * @typedef {{class: string, probability: number}} Prediction
 * @typedef {Prediction & {threshold: number, answered: boolean}} LabelChance
 * @typedef {{class: string, similarity: number, jpeg: string}} Neighbour
 * @typedef {object} HeatMap
 * @property {string} class
 * @property {string} method
 * @property {string} png - base64
 * @property {[number, number, number, number]} window - left, top, width, height: fractions of the upright picture
 * @property {string} sentence
 * @typedef {object} Answer - of any task
 * @property {number} width - of the upright picture, pixels
 * @property {number} height
 * @property {string} fingerprint - of the model that answered
 * @typedef {Answer & {predictions: Prediction[], known: boolean | null, sure?: boolean, heat_map?: HeatMap, similar?: Neighbour[]}} Classified
 * @typedef {Prediction & {xyxy: [number, number, number, number]}} Box - left, top, right, bottom in pixels
 * @typedef {Answer & {detections: Box[]}} Detected - the surest first
 * @typedef {Answer & {labels: string[], probabilities: LabelChance[], heat_map?: HeatMap}} Labelled
 *
 * @typedef {{finer: boolean, seconds: number}} Paints - whether it paints in steps, too, and for how long
 * @typedef {{photo: Blob, painting: Blob}} Pair
 * @typedef {{strength: number, keep_colors: 0 | 1, imgsz: number}} PaintOptions
 * @typedef {{png: string, steps: number, seconds: number}} Preview - a PNG in base64, after so many steps and seconds
 */

import { askForToken, token } from "./token.js";

const BUSY = 503;
const REFUSED = 400;
const UNAUTHORIZED = 401;
const MOST_TRIES = 4;
const LONGEST_WAIT_SECONDS = 5;
const GONE = "the server cannot be reached: look whether `eyespot serve` is still running, then try again";

/** What went wrong, as a sentence to show. */
export class ServerError extends Error {
  /** @param {string} reason - the server's, with neither capital nor full stop @param {number} [status] */
  constructor(reason, status) {
    super(`${reason[0].toUpperCase()}${reason.slice(1)}.`);
    /** whether the question itself was wrong, as it is where another model takes other options */
    this.isRefusal = status === REFUSED;
  }
}

/** @returns {Promise<Model>} the model that is served */
export async function fetchModel() {
  return (await request("model")).json();
}

/**
 * @param {Blob} picture
 * @param {string} name - of the picture
 * @param {Record<string, string | number>} options - as `POST /predict` takes them
 * @returns {Promise<Answer>} what the model says of one picture
 */
export async function predict(picture, name, options) {
  const form = new FormData();
  form.append("picture", picture, name);
  const { answers, fingerprint } = await (await request(`predict?${asQuery(options)}`, form)).json();
  if (answers[0].error) throw new ServerError(answers[0].error);
  return { ...answers[0], fingerprint };
}

/**
 * @param {Pair} pair
 * @param {PaintOptions} options
 * @returns {Promise<Blob>} the photo painted in one pass
 */
export async function paint(pair, options) {
  return (await request(`paint?${asQuery(options)}`, asForm(pair))).blob();
}

/**
 * The photo painted better and better, until the time is up or the signal stops it.
 * @param {Pair} pair
 * @param {PaintOptions & {time: number}} options
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Preview>}
 */
export async function* paintInSteps(pair, options, signal) {
  const response = await request(`paint/finer?${asQuery(options)}`, asForm(pair), signal);
  for await (const line of lines(response.body, signal)) {
    const said = JSON.parse(line);
    if (said.error) throw new ServerError(said.error);
    yield said;
  }
}

/** @param {ReadableStream<Uint8Array>} body @param {AbortSignal} signal @returns {AsyncGenerator<string>} */
async function* lines(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; ; ) {
    const { done, value } = await reader.read().catch((error) => {
      throw signal.aborted ? error : new ServerError(GONE);
    });
    if (done) return;
    const parts = `${text}${value}`.split("\n");
    text = parts.pop();
    yield* parts;
  }
}

/** @param {Pair} pair */
function asForm({ photo, painting }) {
  const form = new FormData();
  form.append("photo", photo, "photo");
  form.append("painting", painting, "painting");
  return form;
}

/** @param {Record<string, string | number>} options - as the server takes them */
function asQuery(options) {
  return new URLSearchParams(Object.entries(options).map(([option, value]) => [option, `${value}`]));
}

/**
 * The server's answer, once it has time and knows the token.
 * @param {string} path
 * @param {FormData} [body] - posted where there is one
 * @param {AbortSignal} [signal] - which stops it
 */
async function request(path, body, signal) {
  for (let tries = 1; ; tries++) {
    const response = await send(path, body, signal);
    if (response.ok) return response;
    if (response.status === UNAUTHORIZED) await askForToken();
    else if (response.status === BUSY && tries < MOST_TRIES) await pause(response.headers.get("Retry-After"));
    else throw new ServerError(await reason(response), response.status);
  }
}

/** @param {string} path @param {FormData} [body] @param {AbortSignal} [signal] */
async function send(path, body, signal) {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  try {
    return await fetch(path, { method: body ? "POST" : "GET", body, headers, signal });
  } catch (error) {
    throw signal?.aborted ? error : new ServerError(GONE);
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

/** Asks the model, in a thread of its own: one picture after the other, with onnxruntime-web on one core. */

import * as ort from "../runtime/ort.wasm.bundle.min.js";
import { answerTo } from "./answering.js";
import { pixelsOf } from "./pixels.js";
import { hashOf } from "./vouched.js";

const HERE = new URL("..", import.meta.url);
const BROKEN = "The model cannot be loaded";
/** @type {any} what `model.json` says */
let model;
/** @type {Promise<any> | null} once it is known what to load */
let session = null;
/** @type {Promise<unknown>} what is being answered */
let turn = Promise.resolve();

onmessage = ({ data }) => {
  if (data.model) {
    model = data.model;
    session = load();
    session.then(
      () => postMessage({ ready: true }),
      (error) => postMessage({ failed: `${error.message}.` }),
    );
  } else turn = turn.then(() => answer(data));
};

/** @param {{number: number, picture?: Blob, options?: any, pixels?: any}} question */
async function answer({ number, picture, options, pixels }) {
  try {
    const asked = await session;
    if (pixels) return postMessage({ number, answer: asList(await outputs(asked, pixels)) });
    const seen = await pixelsOf(picture, model);
    postMessage({ number, answer: await answerTo(await outputs(asked, seen), seen, model, options) });
  } catch (error) {
    postMessage({ number, error: error.message });
  }
}

/** @param {any} session @param {{data: Uint8Array, width: number, height: number}} pixels */
async function outputs(session, { data, width, height }) {
  const picture = new ort.Tensor("uint8", data, [height, width, data.length / (width * height)]);
  return session.run({ picture });
}

/** @param {Record<string, any>} found @returns {Record<string, number[]>} */
function asList(found) {
  return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, Array.from(data, Number)]));
}

async function load() {
  const sizes = /** @type {Record<string, number>} */ (model.files);
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  let loaded = 0;
  const more = (/** @type {number} */ bytes) => postMessage({ loaded: (loaded += bytes) / total });
  const names = Object.keys(sizes);
  const contents = await Promise.all(names.map((name) => fetched(name, sizes[name], more)));
  const now = await fetch(new URL("model.json", HERE)).then((said) => said.json()).catch(() => model);
  if (now.fingerprint !== model.fingerprint) throw new Error("A newer model has just taken its place: load the page again");
  await Promise.all(names.map((name, at) => requireWhole(name, contents[at])));
  const [graph, wasm] = contents;
  ort.env.logLevel = "error";
  Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: wasm.buffer });
  try {
    return await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
  } catch (error) {
    throw new Error(`${BROKEN}: this browser cannot run it (${error.message}); try a newer one`);
  }
}

/**
 * @param {string} name - of a file beside the page @param {number} size - bytes
 * @param {(bytes: number) => void} more - told of all that comes
 */
async function fetched(name, size, more) {
  const response = await fetch(new URL(name, HERE)).catch(() => null);
  if (!response?.ok) throw new Error(`${BROKEN}: ${name} is not there; look whether this device is online`);
  const content = new Uint8Array(size);
  const reader = response.body.getReader();
  for (let at = 0; ; ) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: null }));
    if (done && at === size) return content;
    if (done || at + value.length > size) throw new Error(`${BROKEN}: ${name} is not whole; load the page again`);
    content.set(value, at);
    at += value.length;
    more(value.length);
  }
}

/** @param {string} name - of a file beside the page @param {Uint8Array} content - that of what was exported, or an error */
async function requireWhole(name, content) {
  const hash = await hashOf(content);
  if (hash && hash !== model.hashes[name]) throw new Error(`${BROKEN}: ${name} is damaged; load the page again, or export it anew`);
}

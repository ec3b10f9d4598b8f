/**
 * What the studio's server answers. The only file that talks to it.
 *
 * @typedef {object} Layer - a row of the network's table; shapes are [C, H, W] or [D]
 * @property {string} name
 * @property {string} kind
 * @property {number[]} input
 * @property {number[]} output
 * @property {string[]} sources - the layers that it takes its numbers from
 * @property {number[] | null} grid - of a vector that was maps: their shape [C, H, W]
 * @property {string} formula
 * @property {number[]} [kernel]
 * @property {number[]} [stride]
 * @property {number[]} [padding] - above, below, left, right
 * @property {number[]} [weight] - the shape of its weights
 * @property {number} [groups]
 * @property {number} parameters
 * @property {number} multiply_adds
 * @property {number} [fully_connected]
 * @property {[number, number]} [field]
 * @property {[number, number]} [jump]
 * @property {[number, number]} [centre]
 *
 * @typedef {{shown: string, name: string, network: string, classes: string[], draws: "mnist" | "filling" | null, is_run: boolean,
 *   precision: string | null, blank: string, layers: Layer[]}} Network
 * @typedef {{probabilities: number[], known: boolean | null}} Answer
 * @typedef {{source: number, map: number, top: number, left: number, patch: (number | null)[][],
 *   kernel: number[][] | null, sum: number}} Part
 * @typedef {{layer: string, kind: string, place: number[], value: number, sum: number, parts: Part[],
 *   rest: {count: number, sum: number} | null, constants: Record<string, number>, chosen: [number, number] | null}} Cell
 */

import { said } from "./said.js";
import { t } from "./words.js";

const OTHER = 412; // another run is open than the one that is shown here
const SOON = 503; // the run's own pictures are still being looked for
const MOST_TRIES = 120;
const WAIT_MILLISECONDS = 1000;

let shown = ""; // the number of the network that this page shows
/** @type {() => void} */
let whenOther = () => {};

/** @returns {Promise<Network>} */
export async function fetchNetwork() {
  const network = await anywhere("network");
  shown = network.shown;
  return network;
}

/** Calls back whenever the server says that another run is open. @param {() => void} callback */
export const onOther = (callback) => void (whenOther = callback);

/** Calls that back: what the browser asks by itself may have been refused. */
export const lookWhatIsOpen = () => whenOther();

/** @param {Blob} picture @returns {Promise<Answer & {picture: string}>} */
export const sendPicture = (picture) => asked("pictures", {}, { method: "POST", body: picture });

/** @param {string} picture @returns {Promise<Answer>} */
export const fetchAnswer = (picture) => asked("answer", { picture });

/** @param {string} picture @param {string} layer @param {number[]} place @returns {Promise<Cell>} */
export const fetchCell = (picture, layer, place) => asked("value", { picture, layer, place });

/** @param {string} picture @param {string} layer @param {number} map @returns {Promise<{before: number[], after: number[]}>} */
export const fetchWithout = (picture, layer, map) => asked("without", { picture, layer, map });

/** @param {string} picture @returns {string} */
export const imageAddress = (picture) => addressOn("image", { picture });

/**
 * @param {string} picture @param {string[]} layers
 * @param {{first?: number, count?: number}} [some] - of the maps of each
 * @returns {Promise<Float32Array>} one layer after the other
 */
export const fetchMaps = (picture, layers, some = {}) => floats("maps", { picture, layers, ...some });

/** @param {string} layer @param {number} map @returns {Promise<Float32Array>} one plane for each map that it sees */
export const fetchKernels = (layer, map) => floats("kernels", { layer, map });

/** @param {string} name @param {Record<string, unknown>} query @returns {Promise<Float32Array>} */
async function floats(name, query) {
  const response = await reached(addressOn(name, query));
  return new Float32Array(await response.arrayBuffer()); // little-endian, as all machines with browsers are
}

/** Asks about the network that is shown here: of another one there is no answer. @param {string} name @param {Record<string, unknown>} [query] @param {RequestInit} [how] @returns {Promise<any>} */
export const asked = async (name, query = {}, how) => (await reached(addressOn(name, query), how)).json();

/** Asks what does not depend on the network. @param {string} name @param {Record<string, unknown>} [query] @param {RequestInit} [how] @returns {Promise<any>} */
export const anywhere = async (name, query = {}, how) => (await reached(address(name, query), how)).json();

/** @param {string} name @param {Record<string, unknown>} query @returns {string} */
export const addressOn = (name, query) => address(name, shown ? { ...query, shown } : query);

/** @param {string} name @param {Record<string, unknown>} query */
const address = (name, query) => `studio/${name}?${new URLSearchParams(Object.entries(query).map(([key, value]) => [key, `${value}`]))}`;

/** Asks again where the server says that it will be able to answer soon. @param {string} where @param {RequestInit} [how] */
async function reached(where, how) {
  for (let tries = 1; ; tries++) {
    const response = await fetch(where, how).catch(() => {
      throw new Error(t("trouble.gone"));
    });
    if (response.ok) return response;
    if (response.status === OTHER) whenOther();
    if (response.status !== SOON || tries === MOST_TRIES) {
      const { error } = await response.json().catch(() => ({ error: t("trouble.unclear") }));
      throw new Error(said(error));
    }
    await new Promise((resolve) => setTimeout(resolve, WAIT_MILLISECONDS));
  }
}

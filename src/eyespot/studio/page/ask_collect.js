/**
 * What the server says of runs, and of pictures that are collected.
 *
 * @typedef {{open: string | null, shown: string | null, run: string | null, folder: string}} Lobby - `open`: the name of what is open, `shown`:
 *   its number; `run`: its id, of a run
 * @typedef {object} Run
 * @property {string} id
 * @property {string} name
 * @property {string} data - what it was trained on
 * @property {string} network
 * @property {string} when - ISO 8601; empty where nobody knows
 * @property {"done" | "going on" | "stopped" | "damaged"} state
 * @property {string} why - it is damaged
 * @property {string} measure - "accuracy", or of boxes "mAP50-95"
 * @property {number | null} value
 * @property {number | null} low - of the 95 % interval
 * @property {number | null} high
 * @property {string} measured_on - "test", "cross-validation" or "validation"
 *
 * @typedef {{id: string, name: string, pictures: string[]}} Class - ids of pictures, the newest first
 * @typedef {{id: string, name: string, folder: string, classes: Class[]}} DataSet
 * @typedef {{id: string, name: string, folder: string, classes: number, pictures: number}} SetInList
 * @typedef {object} Training
 * @property {"none" | "running" | "done" | "stopped" | "failed"} state
 * @property {string | null} set - id of the data set that it learns from
 * @property {string} phase - what it does just now
 * @property {string} error
 * @property {number} first - number of the first of the lines
 * @property {string[]} lines
 * @property {string | null} run - id of the run, once it has a model
 */

import { anywhere as asked } from "./ask.js"; // she goes on collecting, whatever is open

const POST = { method: "POST" };

/** @returns {Promise<Lobby>} */
export const fetchLobby = () => asked("lobby");

/** @returns {Promise<Run[]>} */
export const fetchRuns = async () => (await asked("runs")).runs;

/** @param {string} run - takes the place of what was open */
export const openRun = (run) => asked("open", { run }, POST);

/** @returns {Promise<SetInList[]>} */
export const fetchSets = async () => (await asked("data_sets")).sets;

/** @param {string} set @returns {Promise<DataSet>} */
export const fetchSet = (set) => asked("data_set", { set });

/** @param {string} name @returns {Promise<{id: string}>} */
export const makeSet = (name) => asked("new_data_set", { name }, POST);

/** @param {string} set @param {string} name @returns {Promise<{id: string, name: string}>} */
export const makeClass = (set, name) => asked("new_class", { set, name }, POST);

/** @param {string} set @param {string} of - the class */
export const removeClass = (set, of) => asked("remove_class", { set, class: of }, POST);

/** @param {string} set @param {string} of @param {Blob} picture @returns {Promise<{picture: string, count: number}>} */
export const collect = (set, of, picture) => asked("collect", { set, class: of }, { ...POST, body: picture });

/** @param {string} set @param {string} of @param {string} picture @returns {Promise<Class>} what is left */
export const removePicture = (set, of, picture) => asked("remove_picture", { set, class: of, picture }, POST);

/** @param {string} set @param {string} of @param {string} picture @returns {string} */
export const collectedAddress = (set, of, picture) => `studio/collected_picture?${new URLSearchParams({ set, class: of, picture })}`;

/** @param {string} set @returns {Promise<Training>} */
export const beginTraining = (set) => asked("train", { set }, POST);

/** @returns {Promise<Training>} */
export const stopTraining = () => asked("stop", {}, POST);

/** @param {number} after - lines that are known @returns {Promise<Training>} */
export const fetchTraining = (after) => asked("training", { after });

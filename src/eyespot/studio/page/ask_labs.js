/**
 * What the server says of labs, the experiments on open questions.
 *
 * @typedef {{result: string, data: string, seeds: number, language: "en" | "zh"}} Kept - an outcome that is kept: its id,
 *   and on what it was found
 * @typedef {object} Lab
 * @property {string} name
 * @property {string} question
 * @property {string} claim - what the course says of it
 * @property {string} rule - what has to come out for which verdict
 * @property {string[]} guesses
 * @property {number} seconds - about how long it takes on the digits with five seeds
 * @property {boolean} exact - whether no chance is in it
 * @property {number} settings - that are compared
 * @property {number} needs - training pictures of a class that it needs; 0 for any number
 * @property {boolean} takes_model - whether it looks into a network that is chosen
 * @property {Kept[]} kept - the newest first
 * @typedef {{name: string, why: "none" | "digits" | "handed" | "options" | null}} OwnData - the run's, and why no lab is
 *   offered on them
 * @typedef {{labs: Lab[], own: OwnData, models: Record<string, string>, most_seeds: number}} Labs - `models`:
 *   networks that a lab can look into, by what they are called in the address
 *
 * @typedef {{lab: string, data: string, guess: number, seeds: number, time: string | null, model: string | null, lang: string}} Asked
 * @typedef {object} Work - the lab that runs, or ran last
 * @property {"none" | "running" | "stopping" | "done" | "stopped" | "failed"} state
 * @property {Asked} [asked]
 * @property {number} [settings] - finished ones, of all rounds together
 * @property {number} [of]
 * @property {number} [rounds] - finished
 * @property {number} [of_rounds]
 * @property {number} [seconds] - since it began
 * @property {string | null} [result] - the id of its outcome
 * @property {string} [said] - why there is none
 *
 * @typedef {object} Outcome - in the language in which the lab ran
 * @property {string} result - its id
 * @property {string} lab
 * @property {"en" | "zh"} language
 * @property {string} question
 * @property {string} rule
 * @property {string} data
 * @property {number} pictures
 * @property {number} classes
 * @property {number} test_pictures - of each seed
 * @property {number[]} seeds - that are finished
 * @property {"so" | "not so" | "cannot be told"} answer
 * @property {string} answer_words - empty where the verdict itself says it
 * @property {string} verdict
 * @property {string[]} guesses
 * @property {number | null} guess - from 1
 * @property {number | null} right_guess - null where the experiment cannot tell
 * @property {string} agrees - the experiment with the guess, in words
 * @property {string[]} notes
 * @property {boolean} exact
 * @property {number} axes - columns of the table that name a setting
 * @property {string[][]} rows - the heading first; none where no round was finished
 * @property {string} measure - that is plotted
 * @property {boolean} plotted
 * @property {boolean} reported
 * @property {number} seconds
 */

import { anywhere, asked } from "./ask.js";

/** @param {string} lang @returns {Promise<Labs>} */
export const fetchLabs = (lang) => asked("labs", { lang });

/** @returns {Promise<Work>} */
export const fetchWork = () => anywhere("lab_work");

/** @param {string} result @returns {Promise<Outcome>} */
export const fetchOutcome = (result) => anywhere("lab_outcome", { result });

/** @param {Asked} wanted @returns {Promise<Work>} */
export function startLab(wanted) {
  return asked("lab_start", Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== null)), { method: "POST" });
}

/** @returns {Promise<Work>} */
export const stopLab = () => anywhere("lab_stop", {}, { method: "POST" });

/** @param {string} result @returns {string} */
export const reportAddress = (result) => `studio/lab_report?${new URLSearchParams({ result })}`;

/** @param {string} result @param {number} again - another number has it loaded anew @returns {string} */
export const plotAddress = (result, again) => `studio/lab_plot?${new URLSearchParams({ result, again: `${again}` })}`;

/** What the server and the run itself say, in the page's language. They say it in English; `zh_said.js` has each sentence. */

import { language } from "./words.js";
import { SAID } from "./zh_said.js";

const PLACE = /\{(\w+)\}/;
const NUMBER = "[-+.\\de]+";

/** A sentence with places as a pattern, and what it is in Chinese; those that leave least open come first. */
const SENTENCES = Object.entries(SAID)
  .map(([english, chinese]) => ({ open: english.split(PLACE).length, fixed: english.replace(new RegExp(PLACE, "g"), "").length, pattern: patternOf(english), chinese }))
  .sort((one, other) => other.fixed - one.fixed || one.open - other.open);

/**
 * A sentence that was told in English. One that is not known stays as it is.
 * @param {string} sentence @returns {string}
 */
export const said = (sentence) => (language() === "zh" ? inChinese(sentence) : sentence);

/** @param {string} sentence @returns {string} */
function inChinese(sentence) {
  for (const { pattern, chinese } of SENTENCES) {
    const values = pattern.exec(sentence);
    if (values) return chinese.replace(new RegExp(PLACE, "g"), (_, name) => (name.startsWith("said") ? inChinese(values.groups[name]) : values.groups[name]));
  }
  return sentence;
}

/** @param {string} english */
function patternOf(english) {
  const parts = english.split(PLACE).map((part, at) => (at % 2 ? `(?<${part}>${part.startsWith("num") ? NUMBER : ".*?"})` : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return new RegExp(`^${parts.join("")}$`, "s");
}

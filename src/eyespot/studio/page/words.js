/** The page's words, in English or Chinese. */

import { WORDS as EN } from "./en.js";
import { WORDS as ZH } from "./zh.js";
import { place } from "./state.js";

const LANGUAGES = { en: EN, zh: ZH };

/** @returns {"en" | "zh"} */
export function language() {
  const wanted = place().lang ?? navigator.language.slice(0, 2);
  return wanted === "zh" ? "zh" : "en";
}

/**
 * @param {string} key @param {Record<string, string | number>} [values] - for what stands in braces
 * @returns {string}
 */
export function t(key, values = {}) {
  const said = LANGUAGES[language()][key];
  return said.replace(/\{(\w+)\}/g, (_, name) => `${values[name]}`);
}

let saidIn = "";

/** Fill what index.html names, where that is in another language. */
export function sayAll() {
  if (saidIn === language()) return;
  saidIn = language();
  document.documentElement.lang = language();
  for (const each of document.querySelectorAll("[data-say]")) each.textContent = t(each.dataset.say);
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", t(each.dataset.label));
}

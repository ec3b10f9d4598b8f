/** What came of a lab: the verdict, whether the guess was right, the plot, the numbers with their intervals, the report. */

import { fetchOutcome, plotAddress, reportAddress } from "./ask_labs.js";
import { el } from "./dom.js";
import { byId, tell } from "./elements.js";
import { place } from "./state.js";
import { language, t } from "./words.js";

/** @typedef {import("./ask_labs.js").Outcome} Outcome */
let fetched = 0; // how often: a plot that changed is loaded anew

/**
 * @param {import("./ask_labs.js").Lab} lab @param {any} now @param {{isNew?: boolean}} [how] - isNew: it has just come
 */
export async function showOutcome(lab, now, { isNew = false } = {}) {
  const section = byId("lab-outcome");
  section.hidden = !now.result;
  if (section.hidden) return void (section.dataset.key = "");
  const key = `${now.result} ${language()}`;
  if (key === section.dataset.key && !isNew) return;
  const content = await found(lab, now.result);
  if (place() !== now) return; // she went on meanwhile
  section.dataset.key = key;
  const wasFocused = document.activeElement === document.body || document.activeElement?.closest("#lab-running, #lab-outcome") !== null;
  section.replaceChildren(...content);
  if (!isNew) return;
  tell(`${byId("lab-outcome-title").textContent} ${section.querySelector(".verdict")?.textContent ?? ""}`);
  if (wasFocused) byId("lab-outcome-title").focus();
  section.scrollIntoView({ block: "start" });
}

/** @param {import("./ask_labs.js").Lab} lab @param {string} result @returns {Promise<Node[]>} */
async function found(lab, result) {
  try {
    const outcome = await fetchOutcome(result);
    if (outcome.lab === lab.name) return shown(outcome);
  } catch (error) {
    if (lab.kept.some((each) => each.result === result)) return refused(error.message);
  }
  return refused(t("labs.no-outcome", { result }));
}

/** @param {string} words @returns {Node[]} */
const refused = (words) => [title(t("labs.verdict")), el("p", { className: "error", role: "alert" }, words)];

/** @param {string} words @param {string} [lang] */
const title = (words, lang = "") => el("h2", { id: "lab-outcome-title", tabIndex: -1, lang }, words);

/** @param {Outcome} outcome @returns {Node[]} */
function shown(outcome) {
  const { language: lang, answer, answer_words: words, verdict, notes, data, seeds, seconds } = outcome;
  const of = { data, pictures: outcome.pictures.toLocaleString(language()), classes: outcome.classes, tests: outcome.test_pictures, seeds: seeds.length, seconds };
  return [
    words ? title(words, lang) : title(t("labs.verdict")),
    el("p", { className: `verdict ${answer.replaceAll(" ", "-")}`, lang }, verdict),
    ...guess(outcome),
    ...(lang === language() ? [] : [el("p", { className: "small soft" }, t("labs.other-language"))]),
    ...(notes.length ? [el("ul", { className: "small", lang }, ...notes.map((note) => el("li", {}, note)))] : []),
    ...numbers(outcome),
    el("p", { className: "small soft" }, t(outcome.exact ? "labs.found.exact" : "labs.found", of)),
    ...(outcome.reported ? [el("p", {}, el("a", { href: reportAddress(outcome.result), target: "_blank", rel: "noopener" }, t("labs.report")))] : []),
  ];
}

/** @param {Outcome} outcome @returns {Node[]} */
function guess({ guess: said, guesses, right_guess: right, agrees, language: lang }) {
  if (!said) return [];
  const mark = right === null ? "" : right === said ? "✓ " : "✗ ";
  return [
    el("p", { className: `guessed ${right === said ? "right" : ""}` }, el("span", { "aria-hidden": "true" }, mark), t("labs.you-said"), " ", el("q", { lang }, guesses[said - 1]), " ", el("strong", { lang }, agrees)),
    ...(right && right !== said ? [el("p", {}, t("labs.right-guess"), " ", el("q", { lang }, guesses[right - 1]))] : []),
  ];
}

/** The plot and the table. @param {Outcome} outcome @returns {Node[]} */
function numbers({ result, rows, axes, exact, plotted, measure, language: lang }) {
  if (!rows.length) return [];
  const plot = el("img", { className: "lab-plot", src: plotAddress(result, ++fetched), alt: t("labs.plot", { measure }) });
  const [heading, ...body] = rows;
  const cells = (/** @type {string[]} */ row) => row.map((text, at) => (at < axes ? el("th", { scope: "row" }, text) : el("td", {}, text)));
  const table = el(
    "table",
    { className: "lab-table", lang, "aria-labelledby": "lab-numbers-title" },
    el("thead", {}, el("tr", {}, ...heading.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...body.map((row) => el("tr", {}, ...cells(row)))),
  );
  return [
    el("h3", { id: "lab-numbers-title" }, t("labs.numbers")),
    el(
      "div",
      { className: "lab-numbers" },
      ...(plotted ? [el("figure", {}, plot, el("figcaption", { className: "small soft" }, t(exact ? "labs.plot.exact" : "labs.plot.hint")))] : []),
      el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("labs.table") }, table),
    ),
  ];
}

/** The list of all labs, in the order of the course. */

import { el } from "./dom.js";
import { addressOf } from "./state.js";
import { t } from "./words.js";

/** @param {import("./ask_labs.js").Lab[]} labs */
export function buildList(labs) {
  return el(
    "section",
    { "aria-labelledby": "labs-title" },
    el("h2", { id: "labs-title", tabIndex: -1 }, t("labs.title")),
    el("ul", { className: "labs" }, ...labs.map(entry)),
  );
}

/** @param {import("./ask_labs.js").Lab} lab */
function entry(lab) {
  const { name, question, kept } = lab;
  const address = addressOf({ lab: name, guess: null, result: null });
  return el(
    "li",
    {},
    el("a", { href: address }, question),
    el("span", { className: "small soft" }, `${name} · ${facts(lab)}${kept.length ? ` · ${t("labs.kept.count", { count: kept.length })}` : ""}`),
  );
}

/** How long a lab takes, and whether chance is in it, in words. @param {import("./ask_labs.js").Lab} lab @returns {string} */
export function facts({ seconds, exact }) {
  return exact ? t("labs.exact", { seconds }) : t("labs.seconds", { seconds });
}

/** What the page does for a model that gives pictures several labels, or none. */

import { showBars } from "./bars.js";
import { percent } from "./elements.js";
import { fit, layHeatMap } from "./picture_view.js";

const SHOWN = 8;

/** @type {import("./tasks.js").Task} */
export const multilabel = {
  network: ({ network }) => `${network}, frozen, and a head for each label that was trained on it`,
  looksAt: ({ width, height, color }) =>
    `all of a picture, in images of ${width} × ${height} pixels, ${color === "gray" ? "gray" : "in color"}`,
  figure,
  unmeasured: "How well it tells labels was not measured on pictures held back.",
  options: ({ heat_map }) => ({ heat_map: heat_map ? 1 : 0 }),
  prepare,
  canShow: (answer) => "labels" in answer,
  show,
};

/** @param {import("./api.js").Labeller} model */
function figure({ measured }) {
  if (!measured) return null;
  const { value, low, high } = measured.map;
  const interval = `95\u00a0% interval of mAP: ${low.toFixed(3)} to ${high.toFixed(3)}.`;
  return { text: `mAP ${value.toFixed(3)}`, at: value, low, high, sentence: `${measured.sentence} ${interval}` };
}

/** @param {HTMLElement} card @param {import("./api.js").Labeller} model */
function prepare(card, model) {
  card.classList.remove("of-boxes");
  for (const selector of [".found", ".unknown", ".similar"]) part(card, selector).hidden = true;
  part(card, ".heat-switch").hidden = !model.heat_map;
}

/** @param {HTMLElement} card @param {import("./api.js").Labelled} answer */
function show(card, { labels, probabilities, width, height, heat_map }) {
  fit(card, width, height);
  part(card, ".verdict").textContent = labels.join(", ") || "No label";
  const surest = [...probabilities].sort((one, other) => other.probability - one.probability);
  const shown = surest.slice(0, Math.max(SHOWN, labels.length));
  const bars = part(card, ".bars");
  showBars(bars, shown);
  shown.forEach((each, place) => tick(bars.children[place], each));
  if (heat_map) layHeatMap(card, heat_map);
  const named = surest.filter((each) => each.answered).map((each) => `${each.class}, ${percent(each.probability)}`);
  return named.length ? `${named.join("; ")}.` : "No label.";
}

/** Mark a label that is answered. @param {Element} bar @param {import("./api.js").LabelChance} label */
function tick(bar, { class: name, answered, threshold }) {
  bar.classList.toggle("first", answered);
  const label = bar.querySelector(".name");
  label.textContent = `${answered ? "✓ " : ""}${name}`;
  label.setAttribute("title", `answered from ${percent(threshold)} on`);
}

/** @param {HTMLElement} card @param {string} selector @returns {HTMLElement} */
function part(card, selector) {
  return card.querySelector(selector);
}

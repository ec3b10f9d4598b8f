/** What the page does for a model that names classes. */

import { showBars } from "./bars.js";
import { copyOf, percent } from "./elements.js";
import { layHeatMap } from "./picture_view.js";

const CLASSES_SHOWN = 5;
const NEIGHBOURS_SHOWN = 6;
const NONE = "None of these";
const UNSURE = "Not sure";
/** @type {Record<string, string>} */
const TRAINED = {
  frozen: "of which the head was trained",
  partial: "of which the last stages were trained",
  full: "all of which was trained",
  scratch: "trained from scratch",
};

/** @type {import("./tasks.js").Task} */
export const classification = {
  network: ({ network, regime }) => `${network}, ${TRAINED[regime] ?? regime}`,
  looksAt: ({ side, color }) => `images of ${side} × ${side} pixels, ${color === "gray" ? "gray" : "in color"}`,
  figure,
  unmeasured: "How often it is right was not measured on pictures held back.",
  options,
  prepare,
  canShow: (answer) => "predictions" in answer,
  show,
};

/** @param {import("./api.js").Classifier} model */
function figure({ measured }) {
  if (!measured) return null;
  const { accuracy, low, high, sentence } = measured;
  const interval = `95\u00a0% interval: ${percent(low)} to ${percent(high)}.`;
  return { text: percent(accuracy), at: accuracy, low, high, sentence: `${sentence} ${interval}` };
}

/** @param {import("./api.js").Classifier} model */
function options(model) {
  return {
    topk: Math.min(CLASSES_SHOWN, model.classes.length),
    heat_map: model.heat_map ? 1 : 0,
    similar: model.similar ? NEIGHBOURS_SHOWN : 0,
  };
}

/** @param {HTMLElement} card @param {import("./api.js").Classifier} model */
function prepare(card, model) {
  card.classList.remove("of-boxes");
  part(card, ".found").hidden = true;
  part(card, ".unknown").hidden = true;
  part(card, ".heat-switch").hidden = !model.heat_map;
  part(card, ".similar").hidden = !model.similar;
}

/** @param {HTMLElement} card @param {import("./api.js").Classified} answer */
function show(card, answer) {
  const [first] = answer.predictions;
  const isUnknown = answer.known === false;
  const refusal = isUnknown ? NONE : answer.sure === false ? UNSURE : null;
  part(card, ".verdict").textContent = refusal ?? first.class;
  part(card, ".unknown").hidden = !isUnknown;
  showBars(part(card, ".bars"), answer.predictions);
  if (answer.heat_map) layHeatMap(card, answer.heat_map);
  showNeighbours(card, answer.similar ?? []);
  const likeliest = `${first.class}, ${percent(first.probability)}.`;
  return refusal ? `${refusal}; most like ${likeliest}` : likeliest;
}

/** @param {HTMLElement} card @param {import("./api.js").Neighbour[]} neighbours */
function showNeighbours(card, neighbours) {
  const items = neighbours.map((each) => {
    const item = copyOf("neighbour-template");
    item.querySelector("img").src = `data:image/jpeg;base64,${each.jpeg}`;
    item.querySelector(".name").textContent = each.class;
    item.querySelector(".share").textContent = each.similarity.toFixed(2);
    return item;
  });
  part(card, ".neighbours").replaceChildren(...items);
  part(card, ".similar").hidden = !items.length;
}

/** @param {HTMLElement} card @param {string} selector @returns {HTMLElement} */
function part(card, selector) {
  return card.querySelector(selector);
}

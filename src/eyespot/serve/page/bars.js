/** Probabilities as bars with numbers. */

import { copyOf, percent } from "./elements.js";

/**
 * Fill a list with a bar for each class. Bars that are there already move.
 * @param {HTMLElement} list
 * @param {import("./api.js").Prediction[]} predictions
 */
export function showBars(list, predictions) {
  while (list.children.length > predictions.length) list.lastElementChild.remove();
  while (list.children.length < predictions.length) list.append(copyOf("bar-template"));
  const most = Math.max(...predictions.map((each) => each.probability));
  predictions.forEach((each, place) => showBar(list.children[place], each, most > 0 && each.probability === most));
}

/** @param {Element} bar @param {import("./api.js").Prediction} prediction @param {boolean} best */
function showBar(bar, prediction, best) {
  bar.classList.toggle("first", best);
  bar.querySelector(".name").textContent = prediction.class;
  bar.querySelector(".share").textContent = percent(prediction.probability);
  bar.querySelector(".fill").style.setProperty("--share", `${prediction.probability}`);
}

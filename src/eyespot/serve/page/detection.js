/**
 * What the page does for a model that finds boxes. All boxes from a low probability on come at once, the surest first,
 * so that a slider can show fewer of them, or more, without asking again.
 */

import { layBoxes } from "./box_layer.js";
import { listBoxes } from "./box_list.js";
import { byId, percent, say, tell } from "./elements.js";
import { fit } from "./picture_view.js";

const LEAST = 0.05; // of the probabilities of the boxes that are asked for
/**
 * @typedef {object} Shown - what a card shows
 * @property {import("./api.js").Box[]} boxes - all that came
 * @property {import("./api.js").Detector} model - that found them
 * @property {(count: number) => void} showFirst - shows that many of them, on the picture and in the list
 */
/** @type {WeakMap<Element, Shown>} */
const cards = new WeakMap();
/** @type {number | null} from which probability on boxes are shown on all cards; null for each model's own */
let chosen = null;

/** @type {import("./tasks.js").Task} */
export const detection = {
  network: ({ network }) => `${network}, frozen, and a detector that was trained on it`,
  looksAt: ({ width, height, color }) =>
    `all of a picture, in images of ${width} × ${height} pixels, ${color === "gray" ? "gray" : "in color"}`,
  figure,
  unmeasured: "How well it finds boxes was not measured on pictures held back.",
  options: ({ threshold }) => ({ threshold: Math.min(LEAST, threshold) }),
  prepare,
  canShow: (answer) => "detections" in answer,
  show,
};

/** @param {import("./api.js").Detector} model */
function figure({ measured }) {
  if (!measured) return null;
  const { value, low, high } = measured.map50;
  const interval = `95\u00a0% interval of mAP50: ${low.toFixed(3)} to ${high.toFixed(3)}.`;
  return { text: `mAP50 ${value.toFixed(3)}`, at: value, low, high, sentence: `${measured.sentence} ${interval}` };
}

/** @param {HTMLElement} card */
function prepare(card) {
  card.classList.add("of-boxes");
  for (const selector of [".heat-switch", ".similar"]) part(card, selector).hidden = true;
}

/** @param {HTMLElement} card @param {import("./api.js").Detected} answer */
function show(card, { detections, width, height }, { name, model }) {
  fit(card, width, height); // the browser may not be able to show the picture itself
  const colored = detections.map((box) => ({ ...box, color: colorOf(box.class, model) }));
  const layer = layBoxes(card, colored, { width, height });
  const list = listBoxes(part(card, ".boxes"), colored, `Boxes in ${name}`);
  layer.onPoint = list.onPoint = (place) => {
    layer.point(place);
    list.point(place);
  };
  const showFirst = (/** @type {number} */ count) => {
    layer.showFirst(count);
    list.showFirst(count);
  };
  cards.set(card, { boxes: colored, model, showFirst });
  offerSlider(card, model);
  part(card, ".found").hidden = false;
  return update(card);
}

/** @param {HTMLElement} card @param {import("./api.js").Detector} model */
function offerSlider(card, model) {
  const range = slider(card);
  range.min = `${Math.min(LEAST, model.threshold)}`;
  range.oninput = () => choose(+range.value);
  range.onchange = () => tell(update(card));
  part(card, ".own").textContent = `As the model: ${rounded(model.threshold)}`;
  part(card, ".own").onclick = () => {
    choose(null);
    range.focus(); // the button can no longer be pressed, and would lose it
    tell(update(card));
  };
}

/** @param {number | null} least - for all cards */
function choose(least) {
  chosen = least;
  for (const card of byId("answer-list").children) {
    if (cards.has(card)) update(/** @type {HTMLElement} */ (card));
  }
}

/** Show the boxes that are sure enough. @param {HTMLElement} card @returns {string} them in a sentence */
function update(card) {
  const { boxes, model, showFirst } = cards.get(card);
  const least = chosen ?? model.threshold;
  const sure = boxes.filter((box) => box.probability >= least);
  const sentence = `${inWords(sure, model) || "nothing"}.`;
  showFirst(sure.length);
  slider(card).value = `${least}`;
  slider(card).setAttribute("aria-valuetext", `${rounded(least)}: ${sentence}`);
  part(card, ".least").textContent = rounded(least);
  /** @type {HTMLButtonElement} */ (part(card, ".own")).disabled = chosen === null;
  showCounts(card, sure, model);
  say(part(card, ".remark"), remark(boxes, sure, model));
  return sentence;
}

/**
 * @param {HTMLElement} card @param {import("./box_layer.js").Colored[]} sure
 * @param {import("./api.js").Detector} model
 */
function showCounts(card, sure, model) {
  const counts = [...counted(sure, model)].map(([name, count]) => {
    const item = document.createElement("span");
    item.className = "count";
    item.style.setProperty("--color", colorOf(name, model));
    item.textContent = `${count} ${name}`;
    return item;
  });
  part(card, ".verdict").replaceChildren(...(counts.length ? counts : ["Nothing found"]));
}

/**
 * @param {import("./api.js").Box[]} boxes @param {import("./api.js").Detector} model
 * @returns {Map<string, number>} how many of each class that there is, in the model's order: it stays as the slider moves
 */
function counted(boxes, { classes }) {
  const counts = new Map(classes.map((name) => [name, 0]));
  for (const box of boxes) counts.set(box.class, counts.get(box.class) + 1);
  return new Map([...counts].filter(([, count]) => count));
}

/** @param {import("./api.js").Box[]} boxes @param {import("./api.js").Detector} model */
function inWords(boxes, model) {
  return [...counted(boxes, model)].map(([name, count]) => `${count} ${name}`).join(", ");
}

/** @param {string} name @param {import("./api.js").Detector} model */
function colorOf(name, { classes, colors }) {
  return colors[classes.indexOf(name)];
}

/** @param {import("./api.js").Box[]} boxes @param {import("./api.js").Box[]} sure @param {import("./api.js").Detector} model */
function remark(boxes, sure, model) {
  if (!boxes.length) return `No box is as sure as ${rounded(LEAST)}.`;
  if (!sure.length) return `The surest box, ${boxes[0].class}, has ${percent(boxes[0].probability)}.`;
  return sure.length === model.max_boxes ? `These are the ${sure.length} surest; of one picture it names no more.` : "";
}

/** @param {number} share */
function rounded(share) {
  return `${Math.round(100 * share)}\u00a0%`;
}

/** @param {HTMLElement} card @returns {HTMLInputElement} */
function slider(card) {
  return card.querySelector(".threshold input");
}

/** @param {HTMLElement} card @param {string} selector @returns {HTMLElement} */
function part(card, selector) {
  return card.querySelector(selector);
}

/** The answers: a card for each picture, filled when the server has answered. */

import { classify } from "./api.js";
import { showBars } from "./bars.js";
import { byId, copyOf, percent, say, tell } from "./elements.js";
import { layHeatMap, showPicture } from "./picture_view.js";

const CLASSES_SHOWN = 5;
const NEIGHBOURS_SHOWN = 6;
const AT_A_TIME = 2;
const NEAR_THE_END = 0.7; // of the window: answers that begin below it are scrolled to
const MOST_BYTES = 20 * 2 ** 20;
/** @type {(() => Promise<void>)[]} what waits to be asked */
const waiting = [];
let working = 0;

/**
 * Ask the model about pictures; their cards come before those that are there, in order.
 * @param {{picture: Blob, name: string}[]} pictures
 * @param {() => import("./api.js").Model} model - that is served now
 * @param {(answer: import("./api.js").Answer) => void} answered
 */
export function ask(pictures, model, answered) {
  const cards = pictures.map(({ picture, name }) => newCard(picture, name, model()));
  const section = byId("answers");
  byId("answer-list").prepend(...cards);
  section.hidden = false;
  if (section.getBoundingClientRect().top > NEAR_THE_END * innerHeight) section.scrollIntoView();
  pictures.forEach(({ picture, name }, place) => {
    waiting.push(async () => {
      if (cards[place].isConnected) await fill(cards[place], picture, name, model(), answered);
    });
  });
  while (working < AT_A_TIME && waiting.length) workOn();
}

/** Take all cards away; what was not asked yet is not asked any more. */
export function clearAnswers() {
  waiting.length = 0;
  for (const card of byId("answer-list").children) URL.revokeObjectURL(pictureOf(card).src);
  byId("answer-list").replaceChildren();
  byId("answers").hidden = true;
  tell("All answers are cleared.");
}

async function workOn() {
  working++;
  while (waiting.length) await waiting.shift()();
  working--;
}

/** @param {Blob} picture @param {string} name @param {import("./api.js").Model} model */
function newCard(picture, name, model) {
  const card = copyOf("answer-template");
  card.querySelector(".file").textContent = name;
  showPicture(card, picture, { name, heatMapComes: model.heat_map });
  similarOf(card).hidden = !model.similar;
  return card;
}

/**
 * @param {HTMLElement} card @param {Blob} picture @param {string} name
 * @param {import("./api.js").Model} model @param {(answer: import("./api.js").Answer) => void} answered
 */
async function fill(card, picture, name, model, answered) {
  try {
    await refuseUnsendable(picture);
    const answer = await classify(picture, name, {
      topk: Math.min(CLASSES_SHOWN, model.classes.length),
      heatMap: model.heat_map,
      similar: model.similar ? NEIGHBOURS_SHOWN : 0,
    });
    showAnswer(card, answer, name);
    answered(answer);
  } catch (error) {
    showError(card, error.message);
  }
  card.removeAttribute("aria-busy");
}

/** What the browser would fail to send, or the server to take, is told at once. @param {Blob} picture */
async function refuseUnsendable(picture) {
  if (picture.size > MOST_BYTES) throw new Error("The picture has more than 20 MB: make it smaller.");
  const start = await picture.slice(0, 1).arrayBuffer().catch(() => {
    throw new Error("This cannot be read. If it is a folder, choose the pictures in it.");
  });
  if (!start.byteLength) throw new Error("The file is empty: it may have been cut off while it was copied.");
}

/** @param {HTMLElement} card @param {import("./api.js").Answer} answer @param {string} name */
function showAnswer(card, answer, name) {
  const [first] = answer.predictions;
  card.querySelector(".verdict").textContent = first.class;
  showBars(card.querySelector(".bars"), answer.predictions);
  if (answer.heat_map) layHeatMap(card, answer.heat_map);
  showNeighbours(card, answer.similar ?? []);
  card.classList.add("answered");
  tell(`${name}: ${first.class}, ${percent(first.probability)}.`);
}

/** @param {HTMLElement} card @param {string} sentence */
function showError(card, sentence) {
  const said = card.querySelector(".said");
  card.querySelector(".heat-switch").remove();
  similarOf(card).hidden = true;
  card.classList.add("refused");
  const error = document.createElement("p");
  error.className = "error";
  error.setAttribute("role", "alert");
  said.replaceChildren(error);
  say(error, sentence);
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
  card.querySelector(".neighbours").replaceChildren(...items);
  similarOf(card).hidden = !items.length;
}

/** @param {Element} card @returns {HTMLElement} */
function similarOf(card) {
  return card.querySelector(".similar");
}

/** @param {Element} card @returns {HTMLImageElement} */
function pictureOf(card) {
  return card.querySelector(".picture");
}

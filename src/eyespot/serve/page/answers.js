/** The answers: a card for each picture, filled when the server has answered. */

import { predict } from "./api.js";
import { byId, copyOf, say, tell } from "./elements.js";
import { showPicture } from "./picture_view.js";
import { refuseUnsendable } from "./sendable.js";
import { taskOf } from "./tasks.js";

const AT_A_TIME = 2;
const MOST_TRIES = 3; // where models take each other's place meanwhile
const NEAR_THE_END = 0.7; // of the window: answers that begin below it are scrolled to
/** @type {(() => Promise<void>)[]} what waits to be asked */
const waiting = [];
let working = 0;

/**
 * Ask the model about pictures; their cards come before those that are there, in order.
 * @param {{picture: Blob, name: string}[]} pictures
 * @param {() => import("./api.js").Model} model - that is served now, as far as the page knows
 * @param {() => Promise<boolean>} renew - asks what is served; true where that is another model
 */
export function ask(pictures, model, renew) {
  const cards = pictures.map(({ picture, name }) => newCard(picture, name, model()));
  const section = byId("answers");
  byId("answer-list").prepend(...cards);
  section.hidden = false;
  if (section.getBoundingClientRect().top > NEAR_THE_END * innerHeight) section.scrollIntoView();
  pictures.forEach(({ picture, name }, place) => {
    waiting.push(async () => {
      if (cards[place].isConnected) await fill(cards[place], picture, name, model, renew);
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
  showPicture(card, picture, name);
  taskOf(model).prepare(card, model);
  return card;
}

/**
 * @param {HTMLElement} card @param {Blob} picture @param {string} name
 * @param {() => import("./api.js").Model} model @param {() => Promise<boolean>} renew
 */
async function fill(card, picture, name, model, renew) {
  try {
    await refuseUnsendable(picture);
    const answer = await answerOf(picture, name, model, renew);
    const task = taskOf(model());
    task.prepare(card, model());
    const sentence = task.show(card, answer, { name, model: model() });
    card.classList.add("answered");
    tell(`${name}: ${sentence}`);
  } catch (error) {
    showError(card, error.message);
  }
  card.removeAttribute("aria-busy");
}

/**
 * An answer that the page's model can show; asked for again where one of another task, which takes other options, has
 * taken its place.
 * @param {Blob} picture @param {string} name
 * @param {() => import("./api.js").Model} model @param {() => Promise<boolean>} renew
 */
async function answerOf(picture, name, model, renew) {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    try {
      const answer = await predict(picture, name, taskOf(model()).options(model()));
      if (answer.fingerprint !== model().fingerprint) await renew();
      if (taskOf(model()).canShow(answer)) return answer;
    } catch (error) {
      if (!error.isRefusal || !(await renew())) throw error;
    }
  }
  throw new Error("Another model took the place of the one that was asked: ask again in a moment.");
}

/** @param {HTMLElement} card @param {string} sentence */
function showError(card, sentence) {
  const said = card.querySelector(".said");
  for (const part of card.querySelectorAll(".heat-switch, .threshold, .similar")) part.remove();
  card.classList.add("refused");
  const error = document.createElement("p");
  error.className = "error";
  error.setAttribute("role", "alert");
  said.replaceChildren(error);
  say(error, sentence);
}

/** @param {Element} card @returns {HTMLImageElement} */
function pictureOf(card) {
  return card.querySelector(".picture");
}

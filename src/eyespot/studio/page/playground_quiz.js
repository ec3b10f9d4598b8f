/** "What is the next size?": questions drawn at random, the same for everybody who has the same number. */

import { button, el, stepper } from "./dom.js";
import { byId, say } from "./elements.js";
import { MOST, question } from "./quiz.js";
import { go } from "./state.js";
import { t } from "./words.js";

/** Whether the first answer to a question was right, by its number. @type {Map<number, boolean>} */
const answered = new Map();

export function buildQuiz() {
  const answer = el("input", { id: "playground-answer", type: "text", inputMode: "numeric", autocomplete: "off" });
  const form = el(
    "form",
    { className: "row", noValidate: true },
    el("label", { for: "playground-answer" }, t("playground.quiz.answer")),
    answer,
    el("button", { type: "submit", className: "main" }, t("playground.quiz.check")),
    button(t("playground.quiz.next"), () => go({ question: (asked() % MOST) + 1 })),
  );
  form.onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    check(answer);
  };
  return el(
    "section",
    { className: "playground-quiz", "aria-labelledby": "playground-quiz-title" },
    el("h2", { id: "playground-quiz-title" }, t("playground.quiz")),
    el("div", { id: "playground-number", className: "row" }),
    el("p", { id: "playground-asked" }),
    form,
    el("div", { id: "playground-told", "aria-live": "polite" }, el("p", { id: "playground-verdict", hidden: true }), el("p", { id: "playground-rule", className: "small soft", hidden: true }), el("p", { id: "playground-formula", className: "sum", hidden: true })),
    el("p", { id: "playground-score", className: "small soft", hidden: true }),
  );
}

/** @param {number} number - of the question */
export function showQuiz(number) {
  const holder = byId("playground-number");
  if (holder.dataset.number === `${number}`) return;
  const label = holder.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  holder.dataset.number = `${number}`;
  holder.replaceChildren(stepper(t("playground.quiz.number"), number, MOST, (next) => go({ question: next }), 1));
  if (label) /** @type {HTMLElement | null} */ (holder.querySelector(`[aria-label="${label}"]`))?.focus();
  byId("playground-asked").textContent = t("playground.quiz.asked", question(number));
  /** @type {HTMLInputElement} */ (byId("playground-answer")).value = "";
  for (const id of ["playground-verdict", "playground-rule", "playground-formula"]) say(byId(id));
}

/** @param {HTMLInputElement} input */
function check(input) {
  const number = asked();
  const { answer, formula } = question(number);
  const typed = input.value.trim();
  const isNumber = /^\d{1,6}$/.test(typed);
  input.setAttribute("aria-invalid", `${!isNumber}`);
  const isRight = Number(typed) === answer;
  if (isNumber && !answered.has(number)) answered.set(number, isRight);
  byId("playground-verdict").className = isNumber && isRight ? "right" : "error";
  const verdict = isRight ? t("playground.quiz.right") : t("playground.quiz.wrong", { typed, answer });
  say(byId("playground-verdict"), isNumber ? verdict : t("playground.quiz.unclear"));
  say(byId("playground-rule"), isNumber ? t("playground.quiz.rule") : "");
  say(byId("playground-formula"), isNumber ? formula : "");
  const right = [...answered.values()].filter(Boolean).length;
  say(byId("playground-score"), answered.size ? t("playground.quiz.score", { right, all: answered.size }) : "");
}

const asked = () => Number(byId("playground-number").dataset.number);

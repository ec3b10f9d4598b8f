/** The lab that runs: how far it is, asked again and again while it does, and the button that stops it. */

import { fetchWork, stopLab } from "./ask_labs.js";
import { button, el } from "./dom.js";
import { byId, say, tell } from "./elements.js";
import { addressOf, place } from "./state.js";
import { said as inWords } from "./said.js";
import { t } from "./words.js";

const AGAIN_MILLISECONDS = 700;
const RUNS = ["running", "stopping"];
/** @typedef {import("./ask_labs.js").Work} Work */
/** @type {{labs: import("./ask_labs.js").Lab[], lab?: import("./ask_labs.js").Lab, ended: (work: Work) => Promise<void>} | null} */
let view = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let asking;
let turn = 0; // of those who ask, the last one goes on
let ran = false; // when it was asked last
let rounds = 0; // that were finished then

/**
 * Shows the lab that runs, now and until it is done.
 * @param {import("./ask_labs.js").Lab[]} labs @param {import("./ask_labs.js").Lab | undefined} lab - that is looked at
 * @param {(work: Work) => Promise<void>} ended - called when what ran is over
 */
export async function follow(labs, lab, ended) {
  view = { labs, lab, ended };
  await watchAgain();
}

/** Asks how far the lab is; again, while it runs and somebody looks. */
export async function watchAgain() {
  const mine = ++turn;
  clearTimeout(asking);
  try {
    const work = await fetchWork();
    if (mine !== turn || place().screen !== "labs") return;
    draw(work);
    const runs = RUNS.includes(work.state);
    const isOver = ran && !runs;
    ran = runs;
    if (runs) asking = setTimeout(goOn, AGAIN_MILLISECONDS);
    if (isOver) await view.ended(work);
  } catch (error) {
    if (mine !== turn) return;
    if (!ran) throw error;
    const said = byId("lab-said");
    if (said) say(said, error.message);
    asking = setTimeout(goOn, AGAIN_MILLISECONDS);
  }
}

const goOn = () => watchAgain().catch((error) => say(byId("trouble"), error.message));

/** @param {Work} work */
function draw(work) {
  const section = byId("lab-running");
  const runs = RUNS.includes(work.state);
  const failed = !runs && work.state !== "none" && !work.result && work.asked.lab === view.lab?.name;
  section.hidden = !runs && !failed;
  if (section.hidden) return void (section.dataset.key = "");
  const key = `${runs} ${work.asked.lab} ${work.said} ${document.documentElement.lang}`;
  if (section.dataset.key !== key) {
    section.dataset.key = key;
    section.replaceChildren(...(runs ? running(work) : failure(work)));
    rounds = work.rounds;
  }
  if (runs) update(work);
}

/** @param {Work} work @returns {Node[]} */
function running({ asked }) {
  const lab = view.labs.find(({ name }) => name === asked.lab);
  const isElsewhere = view.lab?.name !== asked.lab;
  const link = el("a", { href: addressOf({ lab: asked.lab, guess: asked.guess, result: null }) }, lab?.question ?? asked.lab);
  const stop = button(t("labs.stop"), async () => {
    stop.disabled = true;
    await stopLab().catch((error) => say(byId("lab-said"), error.message));
    await goOn();
  });
  stop.id = "lab-stop";
  return [
    el("h2", { id: "lab-running-title" }, t("labs.running")),
    ...(isElsewhere ? [el("p", {}, link)] : []),
    el("progress", { id: "lab-progress", "aria-labelledby": "lab-running-title" }),
    el("p", { id: "lab-done" }),
    el("p", { id: "lab-said", className: "error", role: "alert", hidden: true }),
    el("div", { className: "row" }, stop, el("span", { className: "small soft" }, t("labs.stop.hint"))),
  ];
}

/** @param {Work} work */
function update({ state, settings, of, rounds: done, of_rounds: all, seconds }) {
  const bar = /** @type {HTMLProgressElement} */ (byId("lab-progress"));
  bar.max = of;
  if (settings) bar.value = settings;
  const time = t("labs.time.gone", { minutes: Math.floor(seconds / 60), seconds: `${Math.floor(seconds % 60)}`.padStart(2, "0") });
  const far = settings ? t("labs.done", { settings, of, rounds: done, all }) : t("labs.begins");
  byId("lab-done").textContent = [state === "stopping" ? t("labs.stopping") : far, time].join(" · ");
  /** @type {HTMLButtonElement} */ (byId("lab-stop")).disabled = state === "stopping";
  say(byId("lab-said"));
  if (done > rounds) tell(t("labs.round", { done, all }));
  rounds = done;
}

/** @param {Work} work @returns {Node[]} */
function failure({ state, said }) {
  const words = t(state === "stopped" ? "labs.stopped" : "labs.failed", { said: inWords(said) });
  return [
    el("h2", { id: "lab-running-title" }, t("labs.none")),
    el("p", { className: "error", role: "alert" }, words),
    el("p", { className: "small soft" }, t("labs.again")),
  ];
}

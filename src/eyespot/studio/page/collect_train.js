/** A training on what is collected: begun, followed, stopped; then its run is opened. */

import { beginTraining, fetchTraining, stopTraining } from "./ask_collect.js";
import { button, el } from "./dom.js";
import { say, tell } from "./elements.js";
import { figure, openAndGo } from "./runs.js";
import { said as inWords } from "./said.js";
import { t } from "./words.js";

const AGAIN_MILLISECONDS = 400;
const LEAST_PICTURES = 2;
const LEAST_CLASSES = 2;
const ENDS = { done: "train.done", stopped: "train.stopped", failed: "train.failed" };

/**
 * @param {import("./ask_collect.js").DataSet} set @param {import("./ask_collect.js").Training} training
 * @param {import("./ask_collect.js").Run[]} runs - that were made of it @param {import("./ask_collect.js").Lobby} lobby
 * @returns {HTMLElement}
 */
export function trainPanel(set, training, runs, lobby) {
  const trouble = el("p", { className: "error", role: "alert", hidden: true });
  const now = el("p", { className: "now", hidden: true });
  const log = el("pre", { className: "log", tabIndex: 0, role: "log", "aria-label": t("train.lines"), "aria-live": "off", hidden: true });
  const start = button(t("train.start"), () => begin(), { id: "train-start", className: "main" });
  const stop = button(t("train.stop"), () => guarded(async () => draw(await stopTraining())), { id: "train-stop", hidden: true });
  const panel = el("div", {}, el("p", {}, t("train.hint")), el("p", { className: "row" }, start, stop), trouble, now, log, ...before(set, runs, lobby));
  let known = 0; // lines that are shown

  const guarded = async (/** @type {() => Promise<void>} */ work) => {
    say(trouble);
    await work().catch((error) => say(trouble, error.message));
  };
  const begin = () => {
    const why = missing(set);
    if (why) return say(trouble, why);
    return guarded(async () => {
      const begun = await beginTraining(set.id);
      [known, log.textContent] = [0, ""];
      draw(begun);
      stop.focus();
      tell(t("train.begun"));
      follow();
    });
  };
  const draw = (/** @type {import("./ask_collect.js").Training} */ { state, phase, error, first, lines }) => {
    const isRunning = state === "running";
    if (isRunning && start === document.activeElement) stop.focus();
    [start.hidden, stop.hidden, log.hidden] = [isRunning, !isRunning, false];
    say(now, isRunning ? t("train.running", { phase: phase ? inWords(phase) : t("train.begins") }) : t(ENDS[state]));
    if (state === "failed") say(trouble, t("train.why", { error: inWords(error) }));
    const news = lines.slice(Math.max(0, known - first));
    known = Math.max(known, first + lines.length);
    if (!news.length) return;
    log.append(`${news.join("\n")}\n`);
    log.scrollTop = log.scrollHeight;
  };
  const follow = () => guarded(async () => {
    for (let said; ; ) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLISECONDS));
      if (!panel.isConnected) return; // she went elsewhere; it goes on
      draw((said = await fetchTraining(known)));
      if (said.state === "running") continue;
      tell(now.textContent);
      if (said.state === "failed" || !said.run) return;
      say(now, `${now.textContent} ${t("runs.opening")}`);
      return await openAndGo(said.run, { screen: "collect", set: set.id, try: "1" });
    }
  });

  if (training.set === set.id && training.state !== "none") draw(training);
  if (training.set === set.id && training.state === "running") follow();
  return panel;
}

/** Why a training cannot begin; empty where it can. @param {import("./ask_collect.js").DataSet} set */
function missing({ classes }) {
  if (classes.length < LEAST_CLASSES) return t("train.classes");
  const short = classes.find(({ pictures }) => pictures.length < LEAST_PICTURES);
  return short ? t("train.pictures", { class: short.name, count: short.pictures.length }) : "";
}

/** The runs that were made of these pictures before, each of which can be opened. @returns {Node[]} */
function before(/** @type {import("./ask_collect.js").DataSet} */ set, /** @type {import("./ask_collect.js").Run[]} */ runs, /** @type {import("./ask_collect.js").Lobby} */ lobby) {
  const others = runs.filter((run) => run.state === "done" && run.id !== lobby.run);
  if (!others.length) return [];
  const trouble = el("p", { className: "error", role: "alert", hidden: true });
  const items = others.map((run) => {
    const open = button(t("train.open"), async () => {
      open.textContent = t("runs.opening");
      await openAndGo(run.id, { screen: "collect", set: set.id, try: "1" }).catch((error) => {
        open.textContent = t("train.open");
        say(trouble, error.message);
      });
    }, { id: `try-${run.id}` });
    open.setAttribute("aria-labelledby", `try-${run.id} tried-${run.id}`);
    return el("li", {}, el("span", { className: "who" }, el("strong", { id: `tried-${run.id}` }, run.name)), el("span", { className: "small" }, figure(run)), open);
  });
  return [el("h3", {}, t("train.before")), trouble, el("ul", { className: "runs" }, ...items)];
}

/** TRAINING: how the run went, or goes just now: curves over the epochs, and the rungs that were tried. */

import { follow } from "./ask_training.js";
import { el } from "./dom.js";
import { byId, percent } from "./elements.js";
import { said } from "./said.js";
import { go, onChange, place } from "./state.js";
import { drawCurves, ended, rowsOf } from "./training_curves.js";
import { heard, keptEpoch, lastEpoch, nothingYet, rungsOf, trainingsOf } from "./training_story.js";
import { t } from "./words.js";

let story = nothingYet();
let built = ""; // which training, and in which language
/** @type {(() => void) | null} */
let stop = null;
/** @type {import("./ask.js").Network} */
let shownNetwork;

onChange(({ screen }) => {
  if (screen !== "training" && shownNetwork?.layers.length) leave();
});
new ResizeObserver(() => draw()).observe(byId("training"));

function leave() {
  stop?.();
  stop = null;
}

/** @param {import("./ask.js").Network} network */
export async function show(network) {
  shownNetwork = network;
  if (!stop && story.state !== "ended") {
    stop = follow((message) => {
      story = heard(story, message);
      draw();
    });
  }
  draw();
}

function draw() {
  const screen = byId("training");
  if (!shownNetwork || screen.hidden) return;
  const trainings = trainingsOf(story);
  const training = trainings.find(({ name }) => name === place().training) ?? trainings.filter(lastEpoch).pop() ?? trainings[0];
  const key = [document.documentElement.lang, training?.name, trainings.length, Boolean(training && keptEpoch(story, training)), Boolean(training && hasBand(training)), story.state === "none"].join();
  if (key !== built || !screen.children.length) {
    built = key;
    screen.replaceChildren(...sections(trainings, training));
  }
  update(training);
}

/** @param {import("./training_story.js").Training[]} trainings @param {import("./training_story.js").Training | undefined} training */
function sections(trainings, training) {
  const about = el("p", { id: "training-state", role: "status" });
  const title = el("h2", { id: "training-title" }, t("training.title"));
  const notes = el("p", { id: "training-note", className: "small" });
  const curves = training ? [...chooser(trainings, training), ...figures(training), table(training)] : [];
  const ladder = el("section", { id: "ladder", "aria-labelledby": "ladder-title", hidden: true });
  return [el("section", { id: "curves", "aria-labelledby": "training-title" }, title, about, notes, ...curves), ladder];
}

/** @param {import("./training_story.js").Training[]} trainings @param {import("./training_story.js").Training} training */
function chooser(trainings, training) {
  if (trainings.length < 2) return [];
  const select = el("select", { id: "training-chosen", onchange: () => go({ training: select.value }) });
  select.append(...trainings.map(({ name }) => el("option", { value: name, selected: name === training.name }, said(name))));
  return [el("p", { className: "row" }, el("label", { for: "training-chosen" }, t("training.regime")), select)];
}

/** @param {import("./training_story.js").Training} training */
function figures(training) {
  const { isCrossValidation } = training;
  const key = (/** @type {string} */ kind, /** @type {string} */ words) => el("li", {}, el("span", { className: `swatch ${kind}`, "aria-hidden": "true" }), words);
  const mark = () => (keptEpoch(story, training) ? [key("mark", t("training.kept"))] : []);
  const losses = isCrossValidation ? [key("validation", t("training.cross"))] : [key("train", t("training.train")), key("validation", t("training.validation")), key("batch", t("training.batch"))];
  const accuracies = [key("validation", t(isCrossValidation ? "training.cross" : "training.validation")), ...(hasBand(training) ? [key("band-area", t("training.band"))] : [])];
  const figure = (/** @type {string} */ id, /** @type {string} */ title, /** @type {HTMLElement[]} */ keys) =>
    el("figure", { className: "curves", hidden: true }, el("figcaption", {}, el("h3", {}, title), el("ul", { className: "keys small" }, ...keys, ...mark())), el("div", { id }));
  return [el("div", { className: "charts" }, figure("loss-chart", t("training.loss"), losses), figure("accuracy-chart", t("training.accuracy"), accuracies))];
}

/** @param {import("./training_story.js").Training} training */
function table({ isCrossValidation }) {
  const heads = [isCrossValidation ? "training.l2" : "training.epoch", isCrossValidation ? "training.cross-loss" : "training.train-loss", "training.validation-loss", "training.accuracy", "training.interval-head"];
  return el(
    "details",
    { id: "training-numbers" },
    el("summary", {}, t("training.numbers")),
    el(
      "div",
      { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("training.numbers") },
      el("table", {}, el("thead", {}, el("tr", {}, ...heads.map((each) => el("th", { scope: "col" }, t(each))))), el("tbody", { id: "training-rows" })),
    ),
  );
}

/** @param {import("./training_story.js").Training | undefined} training */
function update(training) {
  put("training-state", stateOf(training));
  put("training-note", notesOf());
  byId("training-note").hidden = !notesOf();
  if (training) {
    drawCurves(byId("loss-chart"), byId("accuracy-chart"), training, story);
    byId("training-numbers").hidden = !training.epochs.length;
    if (byId("training-rows").children.length !== training.epochs.length) byId("training-rows").replaceChildren(...rowsOf(training));
  }
  const rungs = rungsOf(story);
  byId("ladder").hidden = !rungs.length;
  if (rungs.length && byId("ladder").dataset.shown !== JSON.stringify(rungs)) {
    byId("ladder").dataset.shown = JSON.stringify(rungs);
    byId("ladder").replaceChildren(el("h2", { id: "ladder-title" }, t("training.ladder")), el("p", { className: "small soft" }, t("training.ladder.what")), el("ol", { className: "rungs" }, ...rungs.map(rungCard)));
  }
}

/** @param {import("./ask_training.js").Rung} rung */
function rungCard({ regime, trained, seconds, validation, verdict, kept }) {
  const time = seconds ? [t("training.seconds", { seconds: seconds.toFixed(seconds < 10 ? 1 : 0) })] : []; // none where it was not begun
  const measured = validation ? `${percent(validation.accuracy)} ${t("training.interval", { low: percent(validation.low), high: percent(validation.high), n: validation.n })}` : t("training.unmeasured");
  return el("li", { className: kept ? "kept" : "" }, el("strong", {}, `${kept ? "✓ " : ""}${said(regime)}`), el("span", { className: "small soft" }, [said(trained), ...time].join(" · ")), el("span", {}, measured), el("span", { className: "small" }, said(verdict)));
}

/** Whether it is known of how many pictures its accuracies are. @param {import("./training_story.js").Training} training */
const hasBand = ({ epochs }) => epochs.some(({ interval }) => interval);

/** How the run stands, in a sentence. @param {import("./training_story.js").Training | undefined} training */
function stateOf(training) {
  const { state, isLost, end, lines } = story;
  if (isLost && state !== "ended") return t("trouble.gone");
  if (state === "none" || state === "asked") return state === "none" ? t("training.none") : "";
  const kept = training && keptEpoch(story, training);
  const line = kept ?? (training && lastEpoch(training));
  const numbers = line ? ` ${ended(line, training, kept && "training.at-kept")}${t("training.stop")}` : "";
  if (state === "ended") return t({ done: "training.done", stopped: "training.stopped", broken: "training.broken" }[end.state]) + numbers;
  const step = training?.steps.length ? training.steps[training.steps.length - 1].step : null;
  return t(step === null ? "training.running" : "training.running.step", { phase: said(lines[lines.length - 1]?.phase ?? "…"), step }) + numbers;
}

function notesOf() {
  const isOpen = shownNetwork.layers.length > 0;
  if (story.state === "ended" && !isOpen) return t(story.end.has_model ? "training.model-now" : "training.no-model.ended");
  if (story.state !== "running") return "";
  return t(isOpen ? "training.first-model" : "training.no-model");
}

/** A text, said anew only where it is another one. @param {string} id @param {string} words */
function put(id, words) {
  if (byId(id).textContent !== words) byId(id).textContent = words;
}

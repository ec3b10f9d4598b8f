/** TRAINING: the curves of one training, what they end at, and the same numbers as a table. */

import { el } from "./dom.js";
import { percent } from "./elements.js";
import { drawn, fromZero, toOne } from "./training_chart.js";
import { keptEpoch, lastEpoch } from "./training_story.js";
import { t } from "./words.js";

const NARROWEST = 260; // pixels of a drawing

/** @typedef {import("./training_story.js").Training} Training */

/** The numbers that a curve is made of. @param {any[]} lines @param {string} name @returns {[number, number][]} */
const points = (lines, name) => lines.filter((line) => line[name] !== null).map((line) => [line.step, line[name]]);

/**
 * Draw into two places as wide as they are.
 * @param {HTMLElement} loss @param {HTMLElement} accuracy @param {Training} training @param {import("./training_story.js").Story} story
 */
export function drawCurves(loss, accuracy, training, story) {
  const { isCrossValidation, steps, epochs } = training;
  const mark = keptEpoch(story, training)?.step;
  const ticks = epochs.length ? epochs.map((line) => /** @type {[number, string]} */ ([line.step, `${line.epoch ?? line.step}`])) : steps.map(({ step }) => [step, `${step}`]);
  const domain = /** @type {[number, number]} */ ([isCrossValidation ? steps[0].step : 0, steps[steps.length - 1].step]);
  const common = { domain, ticks, mark, below: t(isCrossValidation ? "training.l2" : epochs.length ? "training.epoch" : "training.step") };
  const lossCurves = [
    { kind: "batch", points: isCrossValidation ? [] : points(steps.filter(({ epoch }) => epoch === null), "loss") },
    { kind: isCrossValidation ? "validation" : "train", points: points(epochs, "loss") },
    { kind: "validation", points: points(epochs, "validation_loss") },
  ].filter((curve) => curve.points.length);
  const values = lossCurves.flatMap((curve) => curve.points.map(([, value]) => value));
  const last = lastEpoch(training);
  fill(loss, values.length > 0, (width) =>
    drawn({ ...common, curves: lossCurves, range: fromZero(values), written: short, label: `${t("training.loss")}. ${last ? ended(last, training) : ""}` }, width),
  );
  const measured = points(epochs, "accuracy");
  const band = epochs.flatMap(({ step, interval }) => (interval ? [/** @type {[number, number, number]} */ ([step, interval[0], interval[1]])] : []));
  fill(accuracy, measured.length > 0, (width) =>
    drawn(
      {
        ...common,
        band,
        curves: [{ kind: "validation", points: measured }],
        range: toOne([...measured.map(([, value]) => value), ...band.map(([, low]) => low)]),
        written: (value) => `${Math.round(100 * value)}\u00a0%`,
        label: `${t("training.accuracy")}. ${last ? ended(last, training) : ""}`,
      },
      width,
    ),
  );
}

/** @param {HTMLElement} holder @param {boolean} isThere @param {(width: number) => SVGElement} draw */
function fill(holder, isThere, draw) {
  const figure = /** @type {HTMLElement} */ (holder.closest("figure"));
  figure.hidden = !isThere;
  if (isThere) holder.replaceChildren(draw(Math.max(NARROWEST, holder.clientWidth)));
}

/** What an epoch, or an L2, ended with, in a sentence. @param {import("./ask_training.js").Line} line @param {Training} training @param {string} [first] - the word that it begins with */
export function ended(line, { isCrossValidation }, first = isCrossValidation ? "training.at-l2" : "training.at-epoch") {
  const said = [t(first, { number: line.epoch ?? line.step })];
  if (line.loss !== null) said.push(t(isCrossValidation ? "training.had-cross-loss" : "training.had-loss", { loss: short(line.loss) }));
  if (line.validation_loss !== null) said.push(t("training.had-validation-loss", { loss: short(line.validation_loss) }));
  if (line.accuracy !== null) said.push(t("training.had-accuracy", { accuracy: percent(line.accuracy) }) + (line.interval ? interval(line.interval) : ""));
  return said.join(t("training.comma"));
}

/** @param {[number, number, number]} ends */
const interval = ([low, high, n]) => t("training.interval", { low: percent(low), high: percent(high), n: n.toLocaleString(document.documentElement.lang) });

/** The rows of the table. @param {Training} training @returns {HTMLElement[]} */
export const rowsOf = ({ epochs }) =>
  epochs.map(({ epoch, step, loss, validation_loss, accuracy, interval: ends }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, `${epoch ?? step}`),
      ...[loss, validation_loss].map((value) => el("td", {}, value === null ? "" : short(value))),
      el("td", {}, accuracy === null ? "" : percent(accuracy)),
      el("td", {}, ends ? `${percent(ends[0])} – ${percent(ends[1])}` : ""),
    ),
  );

/** @param {number} value - a loss */
const short = (value) => `${Number(value.toPrecision(3))}`.replace("-", "−");

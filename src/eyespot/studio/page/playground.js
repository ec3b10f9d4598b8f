/** The screen PLAYGROUND: an input, a kernel, what comes out, and each number's sum, computed here while one edits. */

import { cellOf, convolved } from "./convolution.js";
import { el } from "./dom.js";
import { byId, say, tell } from "./elements.js";
import { shown } from "./matrix.js";
import { showCell } from "./playground_cell.js";
import { frameOn } from "./playground_grid.js";
import { buildInput, showInput, takeDropped } from "./playground_input.js";
import { buildKernel, showKernel } from "./playground_kernel.js";
import { buildOutput, drawInput, showOutput } from "./playground_output.js";
import { pictureOf } from "./playground_picture.js";
import { buildQuiz, showQuiz } from "./playground_quiz.js";
import { stateOf } from "./playground_state.js";
import { go, place } from "./state.js";
import { Misfit } from "./windows.js";
import { t } from "./words.js";

/** @type {import("./convolution.js").Convolved | null} */
let found = null; // what is computed now
let isTaking = false;
let built = ""; // in which language

export async function show() {
  if (!isTaking) takeDropped(show);
  isTaking = true;
  if (built !== document.documentElement.lang) build();
  const state = stateOf(place());
  const address = location.hash;
  const picture = state.input === "picture" ? await pictureOf(place().picture).catch((error) => instead(error, state.misfits)) : null;
  if (address !== location.hash) return;
  const misfits = state.misfits.map((each) => t("playground.address", { reason: t(each.message, each.values) }));
  say(byId("playground-trouble"), misfits.join("\n"));
  showInput(state, picture);
  showKernel(state);
  showQuiz(state.question);
  compute(state, picture?.matrix ?? state.matrix);
}

/** The example, where the picture of the desk is gone. @param {Error} error @param {Misfit[]} misfits - told of it, too */
function instead(error, misfits) {
  if (!(error instanceof Misfit)) throw error;
  misfits.push(error);
  return pictureOf(undefined);
}

function build() {
  built = document.documentElement.lang;
  byId("playground").replaceChildren(
    el("p", { className: "intro soft" }, t("playground.intro")),
    el("p", { id: "playground-trouble", className: "error", role: "alert", hidden: true }),
    el("div", { className: "playground" }, buildInput(does("input"), show), buildKernel(), buildOutput(does("output"), () => found)),
    el("section", { id: "playground-cell", "aria-labelledby": "playground-cell-title" }),
    buildQuiz(),
  );
}

/** What a grid does: a place of the output is its number, a place of the input the window around it. @param {"input" | "output"} which */
function does(which) {
  const at = (/** @type {number} */ row, /** @type {number} */ column) => {
    if (which === "output" || !found) return [row, column];
    const { laid, path } = found;
    const first = (/** @type {number} */ middle, /** @type {number} */ size, /** @type {number} */ stride) => Math.round((middle - (size - 1) / 2) / stride);
    return [first(row, laid.height, path[0].stride), first(column, laid.width, path[1].stride)];
  };
  return {
    over: (/** @type {number} */ row, /** @type {number} */ column) => pointAt(at(row, column)),
    out: () => pointAt(place().cell),
    choose: (/** @type {number} */ row, /** @type {number} */ column) => choose(...at(row, column)),
    step: (/** @type {number} */ down, /** @type {number} */ across) => {
      const [row, column] = within(place().cell);
      choose(row + down, column + across);
    },
  };
}

/** @param {import("./playground_state.js").State} state @param {import("./windows.js").Matrix} input */
function compute(state, input) {
  try {
    found = convolved(input, state.kernel, state.how);
    say(byId("playground-none"));
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    found = null;
    say(byId("playground-none"), t("playground.output.none", { reason: t(error.message, error.values) }));
  }
  byId("playground-made").hidden = byId("playground-cell").hidden = byId("playground-drawn").hidden = !found;
  if (!found) return;
  drawInput(grid("input"), found, state, input);
  showOutput(grid("output"), found, state);
  pointAt(state.cell);
}

/** Frame a number's window, and show its sum. @param {number[]} [cell] */
function pointAt(cell) {
  if (!found) return;
  const [row, column] = within(cell);
  const { laid, path: [down, across] } = found;
  frameOn(grid("output"), [row, column, 1, 1]);
  frameOn(grid("input"), [row * down.stride, column * across.stride, laid.height, laid.width]);
  showCell(byId("playground-cell"), found, cellOf(found, row, column), [row, column], { turned: place().turned === "yes", choose });
}

/** @param {number} row @param {number} column */
function choose(row, column) {
  const cell = within([row, column]);
  go({ cell }, { replace: true });
  if (found) tell(t("playground.cell.told", { row: cell[0], column: cell[1], value: shown(cellOf(found, ...cell).sum) }));
}

/** The nearest place of the output. @param {number[]} [cell] @returns {[number, number]} */
function within([row, column] = [0, 0]) {
  const { height, width } = found?.output ?? { height: 1, width: 1 };
  return [Math.max(0, Math.min(height - 1, row)), Math.max(0, Math.min(width - 1, column))];
}

const grid = (/** @type {"input" | "output"} */ which) => /** @type {HTMLElement} */ (document.querySelector(`.playground-${which} .grid`));

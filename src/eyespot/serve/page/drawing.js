/** A drawing that is classified while one draws. */

import { predict } from "./api.js";
import { showBars } from "./bars.js";
import { byId, percent, say, tell } from "./elements.js";
import { frame, FRAMINGS, pngOf } from "./framing.js";
import { collectStrokes, drawStrokes } from "./strokes.js";

const PEN = 0.08; // width of the lines, of the area's side
const PAUSE_MILLISECONDS = 60; // between two questions
const STILL_MILLISECONDS = 900; // without an answer, before a screen reader is told the last one
const CLASSES_SHOWN = 12;
const UNLIKE = "but unlike all classes";
const INVITATION = "Nothing drawn.";
/** @type {import("./strokes.js").Stroke[]} */
const strokes = [];
let version = 0; // of the drawing; grows with every change
let asking = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let telling;

/**
 * @param {() => import("./api.js").Classifier} model - that is served now
 * @param {() => Promise<boolean>} renew - asks what is served; true where that is another model
 */
export function offerDrawing(model, renew) {
  const changed = () => {
    version++;
    show();
    if (strokes.length) ask(model, renew);
    else showInvitation(model().classes);
  };
  collectStrokes(canvas("paper"), strokes, changed);
  button("undo").onclick = () => {
    strokes.pop();
    changed();
  };
  button("clear").onclick = () => {
    strokes.length = 0;
    changed();
  };
  choice("framing").value = model().framing ?? "mnist";
  for (const id of ["framing", "dark-ink"]) byId(id).onchange = changed;
  changed();
}

/** The drawing as it is, and what of it is sent. */
function show() {
  const paper = canvas("paper");
  const framing = FRAMINGS[choice("framing").value];
  const place = (/** @type {import("./strokes.js").Point} */ point) =>
    /** @type {import("./strokes.js").Point} */ (point.map((at) => at * paper.width));
  drawStrokes(paper, strokes, { width: PEN * paper.width, place, colours: colours() });
  frame(canvas("sent"), strokes, framing, colours());
  for (const id of ["undo", "clear"]) button(id).disabled = !strokes.length;
  byId("draw-hint").textContent = `What the model sees: your drawing, ${framing.words}.`;
}

/**
 * Ask about the drawing, one question at a time, and again where it has changed meanwhile: the last answer is always
 * that to the last drawing.
 * @param {() => import("./api.js").Classifier} model
 * @param {() => Promise<boolean>} renew
 */
async function ask(model, renew) {
  if (asking) return;
  asking = true;
  for (let asked = -1; strokes.length && asked !== version && model().draws; ) {
    asked = version;
    await askOnce(model, renew);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
  }
  asking = false;
}

/** @param {() => import("./api.js").Classifier} model @param {() => Promise<boolean>} renew */
async function askOnce(model, renew) {
  const [first] = strokes;
  const isThere = () => strokes[0] === first; // else it was cleared meanwhile
  try {
    const png = pngOf(canvas("sent"));
    const answer = await predict(png, "drawing.png", { topk: model().classes.length });
    if (answer.fingerprint !== model().fingerprint) await renew();
    const classified = /** @type {import("./api.js").Classified} */ (answer);
    if (isThere() && model().draws) showReading(classified, model().classes);
  } catch (error) {
    if (error.isRefusal && (await renew())) return;
    if (isThere()) say(byId("draw-trouble"), error.message);
  }
}

/** @param {import("./api.js").Classified} answer @param {string[]} classes */
function showReading({ predictions, known }, classes) {
  const [first] = predictions;
  const inOrder = [...predictions].sort((a, b) => classes.indexOf(a.class) - classes.indexOf(b.class));
  const isUnknown = known === false;
  const share = isUnknown ? `${percent(first.probability)}, ${UNLIKE}` : percent(first.probability);
  byId("best-class").textContent = first.class;
  byId("best-share").textContent = share;
  // in the model's order a bar keeps its place while one draws
  showBars(byId("draw-bars"), classes.length > CLASSES_SHOWN ? predictions.slice(0, CLASSES_SHOWN) : inOrder);
  say(byId("draw-trouble"));
  clearTimeout(telling);
  telling = setTimeout(() => tell(`The drawing: ${first.class}, ${share}.`), STILL_MILLISECONDS);
}

/** @param {string[]} classes */
function showInvitation(classes) {
  clearTimeout(telling);
  say(byId("draw-trouble"));
  byId("best-class").textContent = "–";
  byId("best-share").textContent = INVITATION;
  showBars(byId("draw-bars"), classes.slice(0, CLASSES_SHOWN).map((name) => ({ class: name, probability: 0 })));
}

/** @returns {import("./strokes.js").Colours} */
function colours() {
  const dark = /** @type {HTMLInputElement} */ (byId("dark-ink")).checked;
  return dark ? { ink: "#000", ground: "#fff" } : { ink: "#fff", ground: "#000" };
}

const canvas = (/** @type {string} */ id) => /** @type {HTMLCanvasElement} */ (byId(id));
const button = (/** @type {string} */ id) => /** @type {HTMLButtonElement} */ (byId(id));
const choice = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (byId(id));

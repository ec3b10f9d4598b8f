/** The picture on the desk: drawn, chosen, dropped or pasted; what the network sees of it, and its answer. */

import { fetchAnswer, imageAddress, sendPicture } from "./ask.js";
import { showBars } from "./bars.js";
import { byId, percent, say, tell } from "./elements.js";
import { fieldOf, placeFrame } from "./field.js";
import { frame, FRAMINGS } from "./framing.js";
import { said } from "./said.js";
import { refuseUnsendable } from "./sendable.js";
import { go, place } from "./state.js";
import { collectStrokes, drawStrokes } from "./strokes.js";
import { t } from "./words.js";

const PEN = 0.08; // of the pad's side
const MOST_BARS = 10;
const STILL_MILLISECONDS = 900;
const COLOURS = { ink: "#fff", ground: "#000" };
/** @type {import("./strokes.js").Stroke[]} */
const strokes = [];
/** @type {Map<string, import("./ask.js").Answer>} */
const answers = new Map();
/** Height and width of the picture as the network sees it, known before it is drawn. */
let sides = [1, 1];
let version = 0;
let sending = false;
/** @type {ReturnType<typeof setTimeout>} */
let telling;

/** @param {import("./ask.js").Network} network */
export function openDesk(network) {
  sides = network.layers[0].output.slice(-2);
  const input = /** @type {HTMLInputElement} */ (byId("file"));
  byId("choose").onclick = () => input.click();
  input.onchange = () => {
    take([...input.files]);
    input.value = "";
  };
  document.addEventListener("paste", (event) => take([...(event.clipboardData?.files ?? [])]));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
  if (network.draws) offerPad(network.draws);
}

/** @param {"mnist" | "filling"} framing */
function offerPad(framing) {
  const paper = canvas("paper");
  const small = document.createElement("canvas");
  small.width = small.height = 28;
  byId("paper-place").hidden = false;
  const changed = () => {
    version++;
    const at = (/** @type {import("./strokes.js").Point} */ point) =>
      /** @type {import("./strokes.js").Point} */ (point.map((each) => each * paper.width));
    drawStrokes(paper, strokes, { width: PEN * paper.width, place: at, colours: COLOURS });
    byId("paper-hint").hidden = strokes.length > 0;
    frame(small, strokes, FRAMINGS[framing], COLOURS);
    if (strokes.length) sendDrawing(small);
  };
  collectStrokes(paper, strokes, changed);
  byId("clear").hidden = false;
  byId("clear").onclick = () => {
    strokes.length = 0;
    changed();
  };
  changed();
}

/** One drawing at a time; the last one is always sent. @param {HTMLCanvasElement} small */
async function sendDrawing(small) {
  if (sending) return;
  sending = true;
  for (let sent = -1; strokes.length && sent !== version; ) {
    sent = version;
    await send(await new Promise((resolve) => small.toBlob(resolve, "image/png")));
  }
  sending = false;
}

/** @param {File[]} files */
async function take([file]) {
  if (!file || byId("network").hidden) return; // it is meant for another screen
  try {
    await refuseUnsendable(file);
    await send(file);
  } catch (error) {
    say(byId("desk-trouble"), said(error.message));
  }
}

/** @param {Blob} picture */
async function send(picture) {
  try {
    const { picture: number, ...answer } = await sendPicture(picture);
    say(byId("desk-trouble"));
    answers.set(number, answer);
    go({ picture: number }, { replace: true });
  } catch (error) {
    say(byId("desk-trouble"), said(error.message));
  }
}

/** @param {import("./ask.js").Network} network @param {string} picture - show it and its answer */
export async function showDesk(network, picture) {
  byId("desk-hint").textContent = t(network.draws ? "desk.draw" : "desk.drop");
  const answer = answers.get(picture) ?? (await fetchAnswer(picture)); // which says why, where there is none, and waits for one that is being looked for
  const image = new Image();
  image.src = imageAddress(picture);
  await image.decode();
  if ((place().picture ?? network.blank) !== picture) return;
  const seen = canvas("image");
  [seen.width, seen.height] = [image.naturalWidth, image.naturalHeight];
  seen.getContext("2d").drawImage(image, 0, 0);
  seen.setAttribute("aria-label", t("desk.seen"));
  showAnswer(network, answer);
}

/** @param {import("./ask.js").Network} network @param {import("./ask.js").Answer} answer */
function showAnswer({ classes, is_run, precision }, { probabilities, known }) {
  const all = classes.map((name, at) => ({ class: name, probability: probabilities[at] }));
  const best = [...all].sort((one, other) => other.probability - one.probability);
  showBars(byId("bars"), all.length > MOST_BARS ? best.slice(0, MOST_BARS) : all);
  const unlike = known === false ? `${t("answer.unlike")} ` : "";
  say(byId("answer-note"), unlike + (is_run && precision !== "fp32" ? t("answer.precision", { precision }) : ""));
  clearTimeout(telling);
  const said = t("answer.told", { class: best[0].class, share: percent(best[0].probability) });
  telling = setTimeout(() => tell(said), STILL_MILLISECONDS);
}

/**
 * A frame around the pixels that a number depends on.
 * @param {import("./ask.js").Layer} [layer] @param {number[]} [cell] - row and column; without, there is no frame
 * @returns {number[] | null} its first and last row and column, whole pixels of the image
 */
export function showField(layer, cell) {
  const shown = byId("frame");
  shown.hidden = !layer?.field || !cell;
  if (shown.hidden) return null;
  const field = fieldOf(layer, cell, sides);
  placeFrame(shown, field, sides);
  return field;
}

const canvas = (/** @type {string} */ id) => /** @type {HTMLCanvasElement} */ (byId(id));

/** Painting: a photo and a painting, what can be chosen, and the picture that the server makes of them. */

import { paint, paintInSteps } from "./api.js";
import { byId, say, tell } from "./elements.js";
import { takePair } from "./paint_intake.js";
import { fit } from "./picture_view.js";

const TICK_MILLISECONDS = 250;
/** @type {import("./api.js").Pair & {photo: File} | undefined} */
let pair;
/** @type {typeof pair} - of which a picture is shown */
let shown;
let version = 0; // of what is to be painted; grows with every change
let asking = false;
/** @type {AbortController | null} stops what is being painted in steps */
let running = null;

/** @param {import("./api.js").Paints} paints */
export function offerPainting({ finer, seconds }) {
  byId("finer").hidden = !finer;
  byId("finer").onclick = () => better(seconds);
  byId("finer-stop").onclick = () => running?.abort();
  byId("strength").oninput = changed;
  for (const id of ["keep-colors", "paint-size"]) byId(id).onchange = changed;
  offerComparison();
  takePair((chosen) => {
    pair = chosen;
    const photo = /** @type {HTMLImageElement} */ (byId("compared"));
    URL.revokeObjectURL(photo.src);
    photo.src = URL.createObjectURL(chosen.photo);
    changed();
  });
  showStrength();
}

/** Something was chosen: the picture is painted anew, at once. */
function changed() {
  version++;
  running?.abort();
  showStrength();
  if (pair) paintAgain();
}

/** Paint, one picture at a time, and again where something has changed meanwhile: the last picture is the one chosen. */
async function paintAgain() {
  if (asking) return;
  asking = true;
  for (let asked = -1; asked !== version; ) {
    asked = version;
    await paintOnce();
  }
  asking = false;
}

async function paintOnce() {
  const started = performance.now();
  const asked = pair;
  try {
    const painted = await paint(asked, options());
    if (running) return; // it has begun with the same picture
    await show(painted);
    shown = asked;
    say(byId("paint-trouble"));
    sayHow(`Painted at once, in ${((performance.now() - started) / 1000).toFixed(1)}\u00a0s.`);
    tell("The photo is painted.");
  } catch (error) {
    say(byId("paint-trouble"), error.message);
    if (shown !== pair) byId("painted").hidden = true; // it is of other pictures than those that are chosen
  }
}

/** Paint in steps, and show what is there so far. @param {number} seconds - that it may take */
async function better(seconds) {
  const stop = (running = new AbortController());
  const started = performance.now();
  const tick = () => showTime(Math.min((performance.now() - started) / 1000, seconds), seconds);
  const ticking = setInterval(tick, TICK_MILLISECONDS);
  tick();
  showRunning(true);
  byId("finer-stop").focus();
  let steps = 0;
  try {
    for await (const preview of paintInSteps(pair, { ...options(), time: seconds }, stop.signal)) {
      steps = preview.steps;
      await show(fromBase64(preview.png));
    }
    tell("The photo is painted in steps.");
  } catch (error) {
    if (!stop.signal.aborted) say(byId("paint-trouble"), error.message);
  }
  const hadFocus = document.activeElement === byId("finer-stop");
  clearInterval(ticking);
  running = null;
  showRunning(false);
  if (hadFocus) byId("finer").focus(); // the other button is gone
  sayHow(steps ? `Painted in ${steps} step${steps === 1 ? "" : "s"}.` : "");
}

/** @param {boolean} isRunning */
function showRunning(isRunning) {
  byId("finer").hidden = isRunning;
  byId("finer-stop").hidden = byId("finer-bar").hidden = !isRunning;
}

/** @param {number} spent @param {number} seconds */
function showTime(spent, seconds) {
  const bar = /** @type {HTMLProgressElement} */ (byId("finer-bar"));
  bar.max = seconds;
  bar.value = spent;
  sayHow(`Painting in steps: ${Math.round(spent)} of ${seconds}\u00a0s.`);
}

/** @param {Blob} png */
async function show(png) {
  const picture = /** @type {HTMLImageElement} */ (byId("picture"));
  const save = /** @type {HTMLAnchorElement} */ (byId("save"));
  const next = new Image();
  next.src = URL.createObjectURL(png);
  await next.decode(); // the last one stays until then
  URL.revokeObjectURL(picture.src);
  picture.src = save.href = next.src;
  save.download = `${pair.photo.name.replace(/\.[^.]*$/, "")}-painted.png`;
  fit(byId("painted"), next.naturalWidth, next.naturalHeight);
  byId("painted").hidden = false;
}

/** The photo in place of the picture: by a button, or while the picture is held. */
function offerComparison() {
  const photo = byId("compared");
  const button = byId("compare");
  const showPhoto = (/** @type {boolean} */ shown) => {
    photo.hidden = !shown;
    button.setAttribute("aria-pressed", `${shown}`);
  };
  photo.onload = () => (button.hidden = false);
  photo.onerror = () => {
    showPhoto(false);
    button.hidden = true; // this browser cannot show it
  };
  button.onclick = () => showPhoto(photo.hidden);
  let isHeld = false;
  const hold = (/** @type {boolean} */ held) => {
    if (held !== isHeld) showPhoto(held);
    isHeld = held;
  };
  const frame = photo.parentElement;
  frame.onpointerdown = () => hold(photo.hidden && !button.hidden);
  frame.onpointerup = frame.onpointercancel = frame.onpointerleave = () => hold(false);
}

/** @returns {import("./api.js").PaintOptions} */
function options() {
  return {
    strength: +field("strength").value,
    keep_colors: field("keep-colors").checked ? 1 : 0,
    imgsz: +field("paint-size").value,
  };
}

/** @param {string} text - how the picture was painted */
function sayHow(text) {
  byId("paint-progress").textContent = text; // an empty line keeps its place
}

function showStrength() {
  const said = `${Math.round(100 * +field("strength").value)}\u00a0%`;
  byId("strength-said").textContent = said;
  byId("strength").setAttribute("aria-valuetext", said);
}

/** @param {string} text @returns {Blob} */
function fromBase64(text) {
  return new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], { type: "image/png" });
}

const field = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (byId(id));

/** KERNELS: the slider through the epochs, from noise to edges, and the model's own kernels at its end. */

import { button, el } from "./dom.js";
import { go, onChange, place } from "./state.js";
import { t } from "./words.js";

const BETWEEN_MILLISECONDS = 250;
/** @type {ReturnType<typeof setInterval> | undefined} */
let playing;

/** The epoch that the address names; null for the model's own kernels. @param {number[]} epochs @returns {number | null} */
export function epochIn(epochs) {
  const { epoch } = place();
  return /^\d{1,9}$/.test(epoch ?? "") && epochs.includes(Number(epoch)) ? Number(epoch) : null;
}

/** @param {number | null} epoch @returns {string} */
export const epochName = (epoch) => (epoch === null ? t("kernels.model") : epoch === 0 ? t("kernels.before") : t("kernels.after", { epoch }));

/** A slider that changes the address. @param {number[]} epochs @returns {HTMLElement} */
export function epochSlider(epochs) {
  const input = el("input", { id: "kernels-epoch", type: "range", min: 0, max: epochs.length, step: 1 });
  input.oninput = () => {
    halt();
    move(epochs, Number(input.value));
  };
  const play = button(t("kernels.play"), () => (playing ? halt() : begin(epochs)), { id: "kernels-play" });
  const at = el("output", { id: "kernels-at", for: "kernels-epoch" });
  return el("div", { className: "row slider" }, el("label", { for: "kernels-epoch" }, t("kernels.epoch")), input, at, play);
}

/** Show where it stands. @param {number[]} epochs */
export function markEpoch(epochs) {
  const input = /** @type {HTMLInputElement | null} */ (document.getElementById("kernels-epoch"));
  if (!input) return;
  const epoch = epochIn(epochs);
  input.value = `${epoch === null ? epochs.length : epochs.indexOf(epoch)}`;
  input.setAttribute("aria-valuetext", epochName(epoch));
  document.getElementById("kernels-at").textContent = epochName(epoch);
  document.getElementById("kernels-play").textContent = t(playing ? "kernels.halt" : "kernels.play");
}

/** @param {number[]} epochs @param {number} at - its place on the slider */
function move(epochs, at) {
  go({ epoch: at < epochs.length ? epochs[at] : null }, { replace: true });
}

/** From the first to the model's own, from where it stands, or anew. @param {number[]} epochs */
function begin(epochs) {
  const epoch = epochIn(epochs);
  let at = epoch === null ? 0 : epochs.indexOf(epoch);
  const step = () => {
    if (at > epochs.length) halt();
    else move(epochs, at++);
    markEpoch(epochs);
  };
  playing = setInterval(step, BETWEEN_MILLISECONDS);
  step();
}

function halt() {
  clearInterval(playing);
  playing = undefined;
}

onChange(({ screen }) => {
  if (screen !== "kernels") halt();
});

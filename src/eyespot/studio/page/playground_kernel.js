/** The playground's kernel, weight by weight, and how it slides. */

import { el, stepper } from "./dom.js";
import { byId, say } from "./elements.js";
import { KERNELS } from "./kernels.js";
import { matrixOf, readNumber, rowsOf } from "./matrix.js";
import { goKernel, MOST_KERNEL, MOST_STRIDE, PADDINGS, stateOf } from "./playground_state.js";
import { go, place } from "./state.js";
import { t } from "./words.js";

const ZEROS = /^\d$/; // a padding that is a number of zeros
/** @type {Record<string, string>} */
const SAID = {
  valid: "playground.padding.valid",
  same: "playground.padding.same",
  reflect: "playground.padding.reflect",
  replicate: "playground.padding.replicate",
  circular: "playground.padding.circular",
};

export function buildKernel() {
  const named = el("select", { id: "playground-named", onchange: () => go({ kernel: named.value }) });
  named.append(el("option", { value: "", disabled: true }, t("playground.kernel.own")), ...Object.keys(KERNELS).map((name) => el("option", { value: name }, name)));
  const padding = el("select", { id: "playground-padding", onchange: () => go({ padding: padding.value }) });
  const said = (/** @type {string} */ each) => (ZEROS.test(each) ? t("playground.padding.zeros", { count: each }) : t(SAID[each]));
  padding.append(...PADDINGS.map((each) => el("option", { value: each }, said(each))));
  const turned = el("input", { id: "playground-turned", type: "checkbox", onchange: () => go({ turned: turned.checked ? "yes" : null }) });
  return el(
    "section",
    { className: "playground-kernel", "aria-labelledby": "playground-kernel-title" },
    el("h2", { id: "playground-kernel-title" }, t("playground.kernel")),
    el("label", { for: "playground-named" }, t("playground.kernel.named")),
    named,
    el("div", { id: "playground-size", className: "row" }),
    el("div", { className: "grid-place" }, el("div", { id: "playground-weights", className: "weights", role: "group", "aria-label": t("playground.kernel.weights"), onkeydown: moved })),
    el("p", { id: "playground-kernel-trouble", className: "error", role: "alert", hidden: true }),
    el("p", { className: "small soft" }, t("playground.kernel.hint")),
    el("label", { for: "playground-padding" }, t("playground.padding")),
    padding,
    el("div", { id: "playground-stride", className: "row" }),
    el("label", {}, turned, t("playground.turned")),
  );
}

/** @param {import("./playground_state.js").State} state */
export function showKernel({ kernel, named, how }) {
  select("playground-named").value = named;
  select("playground-padding").value = how.padding;
  /** @type {HTMLInputElement} */ (byId("playground-turned")).checked = how.turned;
  const sized = (/** @type {number} */ height, /** @type {number} */ width) => goKernel(resized(kernel, height, width));
  fill(
    "playground-size",
    stepper(t("playground.kernel.rows"), kernel.height, MOST_KERNEL, (height) => sized(height, kernel.width), 1),
    stepper(t("playground.kernel.columns"), kernel.width, MOST_KERNEL, (width) => sized(kernel.height, width), 1),
  );
  fill("playground-stride", stepper(t("playground.stride"), how.stride, MOST_STRIDE, (stride) => go({ stride }), 1));
  showWeights(kernel);
}

/** New steppers, the one that was used keeping the focus. @param {string} id @param {...Node} children */
function fill(id, ...children) {
  const label = byId(id).contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  byId(id).replaceChildren(...children);
  if (label) /** @type {HTMLElement | null} */ (byId(id).querySelector(`[aria-label="${label}"]`))?.focus();
}

/** The weights, which are left alone while the kernel stays: somebody is typing there. @param {import("./windows.js").Matrix} kernel */
function showWeights({ height, width, values }) {
  const holder = byId("playground-weights");
  if (holder.dataset.size !== `${height} ${width}`) {
    holder.dataset.size = `${height} ${width}`;
    holder.style.gridTemplateColumns = `repeat(${width}, minmax(0, 4.5rem))`;
    const cells = Array.from(values, (_, at) => {
      const label = t("playground.kernel.weight", { row: Math.floor(at / width), column: at % width });
      return el("input", { type: "text", inputMode: "text", autocomplete: "off", "aria-label": label, oninput: () => typed(), onfocus: (/** @type {Event} */ { target }) => /** @type {HTMLInputElement} */ (target).select() });
    });
    holder.replaceChildren(...cells);
    holder.dataset.kernel = "";
  }
  const written = values.join(" ");
  if (holder.dataset.kernel !== written)
    weights().forEach((input, at) => {
      if (readNumber(input.value) !== values[at]) input.value = `${values[at]}`;
    });
  holder.dataset.kernel = written;
  const longest = Math.max(3, ...weights().map(({ value }) => value.length));
  holder.style.fontSize = `max(.8125rem, min(1rem, ${130 / width / longest}cqw))`;
  complain();
}

function typed() {
  complain();
  const numbers = weights().map(({ value }) => readNumber(value));
  if (numbers.includes(null)) return;
  const { kernel } = stateOf(place());
  goKernel({ ...kernel, values: Float64Array.from(/** @type {number[]} */ (numbers)) }, { replace: true });
}

/** Which weights are no numbers: the kernel before it stays in use. */
function complain() {
  const wrong = weights().filter((input) => {
    const isWrong = readNumber(input.value) === null;
    input.setAttribute("aria-invalid", `${isWrong}`);
    return isWrong;
  });
  const reason = wrong.length ? t("playground.misfit.weight", { text: wrong[0].value.slice(0, 20) }) : "";
  say(byId("playground-kernel-trouble"), reason && t("playground.kept", { reason }));
}

/** Arrow up and down change the row. @param {KeyboardEvent} event */
function moved(event) {
  const all = weights();
  const width = Number(byId("playground-weights").dataset.size.split(" ")[1]);
  const at = all.indexOf(/** @type {HTMLInputElement} */ (event.target));
  const next = all[at + { ArrowUp: -width, ArrowDown: width }[event.key]];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.focus();
}

/** The same weights where they stay, zeros where there were none. @param {import("./windows.js").Matrix} kernel @param {number} height @param {number} width */
function resized(kernel, height, width) {
  const rows = rowsOf(kernel);
  return matrixOf(Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => rows[row]?.[column] ?? 0)));
}

const weights = () => /** @type {HTMLInputElement[]} */ ([...byId("playground-weights").children]);
const select = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (byId(id));

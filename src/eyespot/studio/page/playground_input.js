/** The playground's input: a typed matrix or a picture, with its padding, and how many windows use each pixel. */

import { button, el } from "./dom.js";
import { byId, say } from "./elements.js";
import { readMatrix, writtenOut } from "./matrix.js";
import { gridHolder } from "./playground_grid.js";
import { forgetOwn, MOST_PIXELS, takePicture } from "./playground_picture.js";
import { MOST_SIDE } from "./playground_state.js";
import { go, place } from "./state.js";
import { Misfit } from "./windows.js";
import { t } from "./words.js";

/** @param {Parameters<typeof gridHolder>[1]} does @param {() => void} again - shows the playground anew */
export function buildInput(does, again) {
  const choice = (/** @type {string} */ value, /** @type {string} */ text) =>
    el("label", {}, el("input", { type: "radio", name: "playground-input", value, onchange: () => go({ input: value === "picture" ? value : null }) }), text);
  const area = el("textarea", { id: "playground-matrix", rows: 6, spellcheck: false, autocomplete: "off", oninput: typed });
  area.setAttribute("aria-describedby", "playground-input-trouble");
  const file = el("input", { id: "playground-file", type: "file", className: "unseen", tabIndex: -1, accept: "image/*", "aria-label": t("playground.picture.choose") });
  file.onchange = () => {
    take([...file.files], again);
    file.value = "";
  };
  const fromDesk = () => {
    forgetOwn();
    again();
  };
  const counts = el("input", { id: "playground-counts", type: "checkbox", onchange: () => go({ counts: counts.checked ? "yes" : null }) });
  return el(
    "section",
    { className: "playground-input", "aria-labelledby": "playground-input-title" },
    el("h2", { id: "playground-input-title" }, t("playground.input")),
    el("div", { className: "row", role: "radiogroup", "aria-label": t("playground.input.what") }, choice("matrix", t("playground.input.matrix")), choice("picture", t("playground.input.picture"))),
    el("div", { id: "playground-typed" }, el("label", { for: "playground-matrix" }, t("playground.matrix")), area),
    el(
      "div",
      { id: "playground-chosen" },
      el("p", { id: "playground-about", className: "small soft" }),
      el("div", { className: "row" }, button(t("playground.picture.choose"), () => file.click(), { className: "main" }), button(t("playground.picture.take"), fromDesk, { id: "playground-take" })),
      file,
    ),
    el("p", { id: "playground-input-trouble", className: "error", role: "alert", hidden: true }),
    el("div", { id: "playground-drawn" }, el("div", { className: "grid-place" }, gridHolder(t("playground.input"), does)), el("p", { id: "playground-legend", className: "small soft" })),
    el("label", {}, counts, t("playground.counts")),
    el("p", { id: "playground-counted", className: "small soft", "aria-live": "polite", hidden: true }),
  );
}

/** Pictures that are dropped or pasted while the playground is shown. @param {() => void} again */
export function takeDropped(again) {
  const taking = (/** @type {DataTransfer | null} */ data, /** @type {boolean} */ mayLack) => {
    if (byId("playground").hidden) return;
    const files = [...(data?.files ?? [])];
    if (files.length || !mayLack) take(files, again);
  };
  document.addEventListener("paste", (event) => taking(event.clipboardData, true));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    taking(event.dataTransfer, false);
  });
}

/** @param {File[]} files @param {() => void} again */
async function take([file], again) {
  try {
    if (!file) throw new Misfit("playground.misfit.file");
    await takePicture(file);
    say(byId("playground-input-trouble"));
    if (place().input === "picture") again();
    else go({ input: "picture" });
  } catch (error) {
    say(byId("playground-input-trouble"), t(error.message, error.values));
  }
}

/** @param {Event} event */
function typed(event) {
  const area = /** @type {HTMLTextAreaElement} */ (event.target);
  try {
    const matrix = readMatrix(area.value, MOST_SIDE);
    complain(area);
    go({ matrix: writtenOut(matrix) }, { replace: true });
  } catch (error) {
    complain(area, t("playground.kept", { reason: t(error.message, error.values) }));
  }
}

/** @param {HTMLElement} area @param {string} [trouble] */
function complain(area, trouble = "") {
  say(byId("playground-input-trouble"), trouble);
  area.setAttribute("aria-invalid", `${Boolean(trouble)}`);
}

/** @param {import("./playground_state.js").State} state @param {import("./playground_picture.js").Picture | null} picture */
export function showInput(state, picture) {
  for (const each of document.querySelectorAll("[name=playground-input]")) {
    const choice = /** @type {HTMLInputElement} */ (each);
    choice.checked = choice.value === state.input;
  }
  byId("playground-typed").hidden = state.input === "picture";
  byId("playground-chosen").hidden = state.input !== "picture";
  const area = /** @type {HTMLTextAreaElement} */ (byId("playground-matrix"));
  const matrix = writtenOut(state.matrix);
  const isOther = area.dataset.matrix !== matrix; // else it is left alone: somebody is typing there
  area.dataset.matrix = matrix;
  if (isOther && !means(area.value, matrix)) {
    area.value = writtenOut(state.matrix, "\n");
    complain(area);
  }
  /** @type {HTMLInputElement} */ (byId("playground-counts")).checked = state.counts;
  if (!picture) return;
  const { height, width } = picture.matrix;
  const said = { own: t("playground.picture.own", { height, width }), desk: t("playground.picture.desk", { height, width }) };
  byId("playground-about").textContent = said[picture.from] ?? t("playground.picture.example", { most: MOST_PIXELS });
  byId("playground-take").hidden = picture.from !== "own" || !place().picture;
}

/** @param {string} text - as it was typed @param {string} matrix - written out */
function means(text, matrix) {
  try {
    return writtenOut(readMatrix(text, MOST_SIDE)) === matrix;
  } catch {
    return false;
  }
}

/** What comes out of the playground's kernel: the input with its padding, and the output, both drawn; its size; its command. */

import { scaleOf } from "./colors.js";
import { button, el } from "./dom.js";
import { byId, say, tell } from "./elements.js";
import { shown, writtenOut } from "./matrix.js";
import { drawGrid, gridHolder } from "./playground_grid.js";
import { commandOf, MOST_SIDE } from "./playground_state.js";
import { go } from "./state.js";
import { coverageOf } from "./windows.js";
import { t } from "./words.js";

/** What the input was drawn of. @type {unknown[]} */
let drawn = [];

/** @param {Parameters<typeof gridHolder>[1]} does @param {() => import("./convolution.js").Convolved} found */
export function buildOutput(does, found) {
  const again = () => go({ matrix: writtenOut(found().output), input: null, cell: null });
  return el(
    "section",
    { className: "playground-output", "aria-labelledby": "playground-output-title" },
    el("h2", { id: "playground-output-title" }, t("playground.output")),
    el("p", { id: "playground-none", className: "error", role: "alert", hidden: true }),
    el(
      "div",
      { id: "playground-made" },
      el("div", { id: "playground-shape" }),
      el("div", { className: "grid-place" }, gridHolder(t("playground.output"), does)),
      el("p", { id: "playground-scale", className: "small soft" }),
      el("p", { className: "small soft" }, t("playground.output.choose")),
      el(
        "div",
        { className: "row" },
        button(t("playground.output.copy"), () => copy(writtenOut(found().output, "\n", "\t"))),
        button(t("playground.output.again"), again, { id: "playground-again" }),
      ),
      el("h3", {}, t("playground.command")),
      el("p", { className: "sum small" }, el("code", { id: "playground-command" })),
    ),
  );
}

/** @param {HTMLElement} holder @param {import("./convolution.js").Convolved} found @param {import("./playground_state.js").State} state */
export function showOutput(holder, { output, path: [down, across] }, state) {
  const scale = scaleOf(output.values);
  drawGrid(holder, { matrix: output, scale });
  holder.setAttribute("aria-label", t("playground.grid.output", output));
  const formulas =
    down.formula === across.formula
      ? [t("playground.output.both", { formula: down.formula })]
      : [t("playground.output.rows", { formula: down.formula }), t("playground.output.columns", { formula: across.formula })];
  const dropped = down.dropped || across.dropped ? [t("playground.output.dropped", { rows: down.dropped, columns: across.dropped })] : [];
  const lines = [...formulas, ...dropped].map((line) => el("p", { className: "small" }, line));
  byId("playground-shape").replaceChildren(el("p", {}, el("strong", {}, `${output.height} × ${output.width}`)), ...lines);
  byId("playground-scale").textContent = legend(scale);
  byId("playground-again").hidden = Math.max(output.height, output.width) > MOST_SIDE;
  byId("playground-command").textContent = commandOf(state, "PICTURE");
}

/**
 * The input with its padding; it is not drawn again where only weights are others.
 * @param {HTMLElement} holder @param {import("./convolution.js").Convolved} found @param {import("./playground_state.js").State} state
 * @param {import("./windows.js").Matrix} matrix - without padding
 */
export function drawInput(holder, { padded, path }, { counts, input, how }, matrix) {
  const [down, across] = path;
  const now = [holder, matrix, counts, how.padding, how.stride, down.window, across.window];
  if (now.every((each, at) => each === drawn[at])) return;
  drawn = now;
  const coverage = coverageOf(path);
  const source = (/** @type {number} */ row, /** @type {number} */ column) => {
    const [y, x] = [row - down.before, column - across.before];
    return y < 0 || x < 0 || y >= down.size || x >= across.size ? null : y * across.size + x;
  };
  const of = (/** @type {number} */ row, /** @type {number} */ column) => coverage.values[source(row, column) ?? -1] ?? null;
  const scale = input === "picture" ? { most: 255, signed: false } : scaleOf(padded.values);
  drawGrid(holder, {
    matrix: padded,
    scale,
    isPadding: (row, column) => source(row, column) === null,
    ...(counts ? { counts: { of, most: Math.max(1, ...coverage.values) } } : {}),
  });
  holder.setAttribute("aria-label", t("playground.grid.input", padded));
  const isPadded = padded.values.length > coverage.values.length;
  byId("playground-legend").textContent = (counts ? t("playground.counts.legend") : legend(scale)) + (isPadded ? ` ${t("playground.padded")}` : "");
  const middle = Math.floor(down.size / 2) * across.size + Math.floor(across.size / 2);
  const unused = coverage.values.filter((each) => !each).length;
  const [corner, centre, all] = [coverage.values[0], coverage.values[middle], coverage.values.length];
  const twice = isPadded && isOfPixels(path) ? ` ${t("playground.counts.twice")}` : "";
  say(byId("playground-counted"), counts ? t("playground.counts.told", { corner, centre, unused, all }) + twice : "");
}

/** Whether the padding is made of pixels. @param {import("./convolution.js").Convolved["path"]} path */
const isOfPixels = (path) => path.every(({ sources }) => sources.every((each) => each >= 0));

/** @param {{most: number, signed: boolean}} scale */
function legend({ most, signed }) {
  return t(signed ? "legend.signed" : "legend.plain", { most: shown(most), least: shown(-most) });
}

/** @param {string} text */
async function copy(text) {
  const isCopied = await navigator.clipboard.writeText(text).then(() => true, () => false);
  tell(t(isCopied ? "playground.output.copied" : "playground.output.refused"));
}

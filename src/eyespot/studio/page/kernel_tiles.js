/** KERNELS: each plane of a kernel in signed colours, with the named kernels that it is like; a link to its map. */

import { canvasOf, written } from "./colors.js";
import { el } from "./dom.js";
import { place } from "./state.js";
import { t } from "./words.js";

/**
 * @param {import("./ask_kernels.js").Planes} planes @param {string} layer @param {boolean} isAlone - each map has one plane
 * @returns {HTMLElement[]}
 */
export const tiles = ({ kernel, most, planes }, layer, isAlone) => planes.map((plane) => tile(plane, kernel[1], most, layer, isAlone));

/** @param {import("./ask_kernels.js").Plane} plane @param {number} width @param {number} most @param {string} layer @param {boolean} isAlone */
function tile({ map, source, values, nearest, turned }, width, most, layer, isAlone) {
  const name = isAlone ? t("kernels.map", { map }) : t("kernels.plane", { map, source });
  const canvas = canvasOf(values, width, { most, signed: true });
  canvas.setAttribute("aria-hidden", "true");
  const like = nearest && likeness("kernels.like", nearest);
  const other = turned && turned.cosine < 0 && likeness("kernels.like.turned", turned);
  const open = el("a", { href: addressOfMap(layer, map), title: t("kernels.open", { layer, map }) }, canvas, el("strong", {}, name));
  return el("li", {}, open, ...[like, other].flatMap((said) => (said ? [el("span", { className: "small" }, said)] : [])));
}

/** @param {string} key @param {import("./ask_kernels.js").Nearest} nearest */
const likeness = (key, { name, cosine }) => t(key, { name, cosine: cosine.toFixed(2).replace("-", "−") });

/** LAYER, at a map. @param {string} layer @param {number} map */
function addressOfMap(layer, map) {
  const { lang, picture } = place();
  const kept = Object.entries({ screen: "network", lang, picture, layer, map: `${map}` }).filter(([, value]) => value);
  return `#${new URLSearchParams(Object.fromEntries(kept))}`;
}

/** What the colours mean: a strip from the least to the most. @param {number} most */
export function legend(most) {
  const strip = canvasOf(Array.from({ length: 65 }, (_, at) => ((at - 32) / 32) * most), 65, { most, signed: true });
  strip.setAttribute("aria-hidden", "true");
  const said = t("legend.signed", { least: written(-most), most: written(most) });
  return el("p", { id: "kernels-legend", className: "legend small soft" }, strip, said);
}

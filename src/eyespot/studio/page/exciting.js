/** The pictures of the run that excite a map most, each with the place that does. */

import { fetchExciting } from "./ask_errors.js";
import { written } from "./colors.js";
import { button, el } from "./dom.js";
import { byId } from "./elements.js";
import { fieldOf, placeFrame } from "./field.js";
import { described, thumbnail } from "./own_picture.js";
import { addressOf, go, place } from "./state.js";
import { t } from "./words.js";

const AGAIN_MILLISECONDS = 400;
let drawn = ""; // what the section was built for

/** @param {import("./ask.js").Network} network */
export async function showExciting(network) {
  const section = byId("exciting");
  const { layer: name, map = 0, exciting } = place();
  const layer = network.layers.find((each) => each.name === name);
  section.hidden = !layer || !network.is_run;
  if (section.hidden) return;
  const index = Math.min(map, layer.output[0] - 1);
  const key = [name, index, exciting, document.documentElement.lang].join(" ");
  if (key === drawn) return mark(section);
  drawn = key;
  const found = el("div", { id: "excited" });
  const isAsked = exciting !== undefined;
  const wasFocused = document.activeElement?.id === "excite";
  const toggle = () => go({ exciting: isAsked ? null : 1 });
  section.replaceChildren(
    el("h2", { id: "exciting-title" }, t("exciting.title", { layer: name, map: index })),
    button(t(isAsked ? "exciting.hide" : "exciting.show"), toggle, { id: "excite", "aria-expanded": `${isAsked}`, "aria-controls": "excited" }),
    found,
  );
  if (wasFocused) byId("excite").focus();
  if (isAsked) fill(found, network, layer, index); // not waited for: it takes a while
}

/** @param {HTMLElement} holder @param {import("./ask.js").Network} network @param {import("./ask.js").Layer} layer @param {number} map */
async function fill(holder, network, layer, map) {
  const said = el("p", { className: "small", role: "status" }, t("exciting.begins"));
  holder.replaceChildren(said);
  try {
    let found = await fetchExciting(layer.name, map);
    for (; found.state === "working" && holder.isConnected; found = await fetchExciting(layer.name, map)) {
      said.textContent = t("exciting.working", { done: found.done, of: found.of });
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLISECONDS));
    }
    if (found.state === "working") return; // another map is looked at
    if (!found.pictures.length) return void (said.textContent = t("exciting.none"));
    said.textContent = t("exciting.looked", { looked: found.looked, of: found.of });
    holder.append(el("ol", { className: "own-cards" }, ...found.pictures.map((each) => card(each, network, layer, map))));
    mark(holder);
  } catch (error) {
    holder.replaceChildren(el("p", { className: "error", role: "alert" }, error.message));
  }
}

/** @param {import("./ask_errors.js").Exciting} picture @param {import("./ask.js").Network} network @param {import("./ask.js").Layer} layer @param {number} map */
function card(picture, network, layer, map) {
  const { classes, layers } = network;
  const [row, column] = picture.place;
  const isMap = layer.output.length === 3;
  const value = isMap ? t("exciting.at", { value: written(picture.value), row, column }) : written(picture.value);
  const shown = el("span", { className: "framed" }, thumbnail(picture.picture, network));
  if (layer.field) {
    const sides = layers[0].output.slice(1);
    const frame = el("span", { className: "field" });
    placeFrame(frame, fieldOf(layer, picture.place, sides), sides);
    shown.append(frame);
  }
  const link = el("a", { "aria-label": `${value} · ${picture.name}` }, shown, el("strong", {}, value));
  Object.assign(link.dataset, { picture: picture.picture, map, cell: `${picture.place}` });
  return el("li", {}, link, el("span", { className: "small" }, described(picture, classes)), el("span", { className: "small soft" }, picture.name));
}

/** Where the links lead, and which of them is shown. @param {HTMLElement} holder */
function mark(holder) {
  const { picture, cell } = place();
  for (const link of holder.querySelectorAll("a")) {
    link.href = addressOf({ picture: link.dataset.picture, map: Number(link.dataset.map), cell: link.dataset.cell });
    link.setAttribute("aria-current", `${link.dataset.picture === picture && link.dataset.cell === `${cell}`}`);
  }
}

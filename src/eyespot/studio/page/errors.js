/** ERRORS: what was mistaken for what, and the pictures of it, each of which opens in NETWORK. */

import { fetchConfusion, fetchMistakes, fetchOwn } from "./ask_errors.js";
import { el } from "./dom.js";
import { byId, percent, say, tell } from "./elements.js";
import { cellLink, markCell, confusionTable } from "./confusion.js";
import { described, doubt, isMistake, looking, missing, partName, thumbnail } from "./own_picture.js";
import { addressOf, go, place } from "./state.js";
import { t } from "./words.js";

const AGAIN_MILLISECONDS = 500;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let asking;
let drawn = ""; // what the matrix was built for

/** @param {import("./ask.js").Network} network @param {any} now @param {any} before */
export async function show(network, now, before) {
  const own = await fetchOwn();
  const screen = byId("errors");
  if (!own.answered.length) {
    drawn = "";
    screen.replaceChildren(section("matrix", t("errors.title"), el("p", {}, t(network.is_run ? "errors.none" : "own.catalogue"))));
    return;
  }
  const part = own.answered.find((each) => each === now.part) ?? own.answered[0];
  const cell = cellIn(now, network.classes.length);
  const [confusion, found] = await Promise.all([fetchConfusion(part), fetchMistakes(part, cell)]);
  if (place() !== now) return; // she went on meanwhile
  const key = `${part} ${document.documentElement.lang}`;
  if (key !== drawn || !screen.children.length) {
    drawn = key;
    screen.replaceChildren(matrixSection(network, own, part, confusion), section("mistakes", ""));
  }
  markCell(byId("matrix"), cell);
  const title = cell ? t("errors.of-cell", { truth: network.classes[cell.truth], answer: network.classes[cell.answer] }) : t("errors.all");
  byId("mistakes").replaceChildren(el("h2", { id: "mistakes-title" }, title), ...notes(now, own, part, cell), ...cards(found, network, cell));
  if (cell && (before.truth !== now.truth || before.answer !== now.answer)) {
    tell(`${title}: ${t("errors.count", { count: found.of })}`);
    if (document.activeElement?.closest("#matrix")) byId("mistakes").scrollIntoView({ block: "nearest" });
  }
  clearTimeout(asking);
  if (own.state === "looking") asking = setTimeout(() => again(network, now), AGAIN_MILLISECONDS);
}

/** @param {import("./ask.js").Network} network @param {any} now */
async function again(network, now) {
  if (place() !== now) return;
  await show(network, now, now).catch((error) => say(byId("trouble"), error.message));
}

/** The cell that the address names; null where it names none. @param {any} now @param {number} classes */
function cellIn({ truth, answer }, classes) {
  const isClass = (/** @type {string | undefined} */ text) => /^\d{1,6}$/.test(text ?? "") && Number(text) < classes;
  return isClass(truth) && isClass(answer) ? { truth: Number(truth), answer: Number(answer) } : null;
}

/** @param {string} id @param {string} title @param {...Node} children */
function section(id, title, ...children) {
  return el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title), ...children);
}

/**
 * @param {import("./ask.js").Network} network @param {import("./ask_errors.js").Own} own
 * @param {import("./ask_errors.js").Part} part @param {import("./ask_errors.js").Confusion} confusion
 */
function matrixSection({ classes }, own, part, confusion) {
  const { shown, mixed_up, most } = confusion;
  const select = el("select", { id: "errors-part", onchange: () => go({ part: select.value, truth: null, answer: null }) });
  select.append(...own.answered.map((each) => el("option", { value: each, selected: each === part }, partName(each))));
  const isPart = shown.length < classes.length;
  const some = mixed_up > shown.length ? t("errors.most", { shown: shown.length, mixed: mixed_up, classes: classes.length }) : t("errors.some", { shown: shown.length, classes: classes.length });
  const list = most.map(([truth, answer, count]) =>
    el("li", {}, cellLink(t("errors.cell", { truth: classes[truth], answer: classes[answer], count }), count, truth, answer, classes)),
  );
  return section(
    "matrix",
    t("errors.title"),
    el(
      "div",
      { className: "sides" },
      el(
        "div",
        {},
        el("p", { className: "row" }, el("label", { for: "errors-part" }, t("own.part")), select),
        ...figure(confusion, part),
        ...(shown.length ? [el("p", { className: "small" }, t("errors.hint")), el("p", { className: "small soft" }, t("errors.axes"))] : []),
        ...(isPart && shown.length ? [el("p", { className: "small" }, some)] : []),
      ),
      ...(shown.length ? [confusionTable(confusion, classes)] : []),
    ),
    ...(isPart && shown.length ? [el("h3", {}, t("errors.mixed")), el("ul", { className: "mixed" }, ...list)] : []),
  );
}

/** @param {import("./ask_errors.js").Confusion} confusion @param {import("./ask_errors.js").Part} part */
function figure({ accuracy }, part) {
  if (!accuracy) return [];
  const { accuracy: share, low, high, n } = accuracy;
  const said = t("errors.accuracy", { n: n.toLocaleString(document.documentElement.lang), part: partName(part), low: percent(low), high: percent(high) });
  const bar = el("div", { className: "interval", "aria-hidden": "true" }, el("div", { className: "band" }), el("div", { className: "point" }));
  for (const [name, value] of Object.entries({ at: share, low, high })) bar.style.setProperty(`--${name}`, `${value}`);
  return [el("p", { className: "figure" }, percent(share)), el("p", { className: "small" }, said), bar];
}

/** What is to be said before the pictures. @returns {Node[]} */
function notes(/** @type {any} */ now, /** @type {import("./ask_errors.js").Own} */ own, /** @type {string} */ part, /** @type {any} */ cell) {
  const said = [];
  if (now.part && now.part !== part) said.push(t("errors.no-part", { part: now.part }));
  if (!cell && (now.truth !== undefined || now.answer !== undefined)) said.push(t("errors.no-cell"));
  if (own.state === "looking") said.push(looking(own));
  if (own.state === "missing") said.push(missing(own));
  const all = cell ? [el("p", {}, el("a", { href: addressOf({ truth: null, answer: null }) }, t("errors.back")))] : [];
  return [...said.map((text) => el("p", { className: "error", role: "status" }, text)), ...all];
}

/** @param {import("./ask_errors.js").Mistakes} found @param {import("./ask.js").Network} network @param {any} cell @returns {Node[]} */
function cards({ pictures, more, of }, network, cell) {
  if (!pictures.length) return [el("p", {}, of ? t("errors.unnamed") : t(cell ? "errors.empty" : "errors.no-mistakes"))];
  const list = el("ul", { className: "own-cards" }, ...pictures.map((picture) => card(picture, network)));
  return [list, ...(more ? [el("p", { className: "small soft" }, t("errors.more", { more }))] : [])];
}

/** @param {import("./ask_errors.js").OwnPicture} picture @param {import("./ask.js").Network} network */
function card(picture, network) {
  const { classes } = network;
  const { lang } = place();
  const doubted = doubt(picture);
  const question = isMistake(picture) ? t("errors.why", { answer: classes[picture.answer] }) : t("errors.look");
  const address = new URLSearchParams({ screen: "network", ...(lang ? { lang } : {}), picture: picture.picture ?? "" });
  const link = picture.picture ? [el("a", { href: `#${address}`, "aria-label": `${question} ${picture.name}` }, thumbnail(picture.picture, network), el("strong", {}, question))] : [];
  return el(
    "li",
    {},
    ...link,
    el("span", { className: "small" }, described(picture, classes)),
    el("span", { className: "small soft" }, picture.name),
    ...(doubted ? [el("span", { className: "small doubt" }, doubted)] : []),
  );
}

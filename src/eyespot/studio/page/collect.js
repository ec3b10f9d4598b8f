/** COLLECT: classes by name, pictures of each by camera, dropped, chosen or pasted; a training on them; a live answer. */

import { fetchLobby, fetchRuns, fetchSet, fetchSets, fetchTraining, makeClass, makeSet } from "./ask_collect.js";
import { cameraPanel, closeCamera } from "./collect_camera.js";
import { classCard, currentCard, takeDropped } from "./collect_class.js";
import { livePanel } from "./collect_live.js";
import { trainPanel } from "./collect_train.js";
import { button, el } from "./dom.js";
import { byId, say, tell } from "./elements.js";
import { addressOf, go, onChange, place } from "./state.js";
import { t } from "./words.js";

let drawn = ""; // what the screen was built for

onChange((now) => {
  if (now.screen === "collect" && `${now.set}` === drawn.split(" ")[0]) return;
  drawn = "";
  closeCamera();
});

/** @param {any} network @param {any} now */
export async function show(network, now) {
  const key = `${now.set} ${document.documentElement.lang}`;
  if (key === drawn) return;
  const parts = now.set ? await ofSet(network, now.set) : [await sets()];
  if (place() !== now) return; // she went on meanwhile
  drawn = key;
  byId("collect").replaceChildren(...parts);
  if (now.set && !byId("collect").querySelector(".class")) byId("collect-class").focus();
}

/** The beginning: a name, or one of those that are there. */
async function sets() {
  const found = await fetchSets();
  const list = found.map(({ id, name, classes, pictures }) =>
    el("li", {}, el("a", { href: addressOf({ set: id, picture: null }) }, name), el("span", { className: "small soft" }, t("collect.set.count", { classes, pictures }))),
  );
  const begin = async (/** @type {string} */ name) => go({ set: (await makeSet(name)).id });
  return section(
    "collect-sets",
    t("collect.title"),
    el("p", {}, t("collect.intro")),
    nameForm("collect-name", t("collect.set.name"), t("collect.set.make"), found, begin),
    ...(list.length ? [el("h3", {}, t("collect.set.others")), el("ul", { className: "runs" }, ...list)] : []),
  );
}

/** @param {any} network @param {string} id */
async function ofSet(network, id) {
  const [set, training, runs, lobby] = await Promise.all([fetchSet(id), fetchTraining(0), fetchRuns(), fetchLobby()]);
  const camera = cameraPanel(); // first: the cards follow it
  const holder = el("ul", { className: "classes", "aria-label": t("collect.classes") });
  const cards = set.classes.map((each) => classCard(set, each));
  holder.append(...cards);
  currentCard(cards[0]);
  const add = async (/** @type {string} */ name) => {
    const made = { ...(await makeClass(id, name)), pictures: [] };
    set.classes.push(made);
    holder.append(currentCard(classCard(set, made)));
    tell(t("collect.class.made", { class: made.name }));
  };
  takeDropped();
  const own = runs.filter((run) => run.data.replaceAll("\\", "/") === set.folder);
  return [
    section(
      "collect-pictures",
      t("collect.pictures", { name: set.name }),
      el("p", { className: "small soft" }, t("collect.where", { folder: set.folder }), " ", el("a", { href: addressOf({ set: null, try: null }) }, t("collect.others"))),
      nameForm("collect-class", t("collect.class.name"), t("collect.class.make"), set.classes, add),
      el("p", { id: "collect-trouble", className: "error", role: "alert", hidden: true }),
      el("div", { className: "collecting" }, camera, el("div", {}, holder, el("p", { className: "small" }, t("collect.hint")))),
    ),
    section("collect-train", t("collect.train"), trainPanel(set, training, own, lobby)),
    ...(network && own.some((run) => run.id === lobby.run) ? [section("collect-try", t("collect.try"), ...livePanel(network, own.find((run) => run.id === lobby.run)))] : []),
  ];
}

/** @param {string} id @param {string} title @param {...Node} children */
function section(id, title, ...children) {
  return el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title), ...children);
}

/**
 * A name to be typed. What cannot be one is told under it, and stays.
 * @param {string} id @param {string} label @param {string} does @param {{name: string}[]} others @param {(name: string) => Promise<void>} make
 */
function nameForm(id, label, does, others, make) {
  const input = el("input", { id, type: "text", maxLength: 200, autocomplete: "off", "aria-describedby": `${id}-trouble` });
  const trouble = el("p", { id: `${id}-trouble`, className: "error", role: "alert", hidden: true });
  const form = el("form", {}, el("p", { className: "row" }, el("label", { for: id }, label), input, button(does, () => {}, { type: "submit", className: "main" })), trouble);
  const refuse = (/** @type {string} */ why) => {
    say(trouble, why);
    input.setAttribute("aria-invalid", `${!!why}`);
    if (why) input.focus();
  };
  form.onsubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const name = input.value.trim().normalize("NFC");
    if (!name) return refuse(t("collect.name.empty"));
    if (others.some((each) => each.name.toLowerCase() === name.toLowerCase())) return refuse(t("collect.name.taken", { name }));
    try {
      await make(name);
      input.value = "";
      refuse("");
    } catch (error) {
      refuse(error.message);
    }
  };
  return form;
}

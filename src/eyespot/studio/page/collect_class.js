/** A class that pictures are collected for: its count, its pictures, and all ways in which more come. */

import { collect, collectedAddress, removeClass, removePicture } from "./ask_collect.js";
import { isCameraOpen, shot, whenCamera } from "./collect_camera.js";
import { button, el } from "./dom.js";
import { byId, say, tell } from "./elements.js";
import { said } from "./said.js";
import { refuseUnsendable } from "./sendable.js";
import { place } from "./state.js";
import { t } from "./words.js";

const SHOWN = 12; // pictures, before all are asked for
const SERIES_MILLISECONDS = 150; // between two pictures while the button is held
/** @type {any} */
let current; // the card that what is pasted goes to
let listens = false;

/** Makes it the one that is pasted to. @param {any} card @returns {any} the same */
export function currentCard(card) {
  current?.classList.remove("current");
  current = card;
  current?.classList.add("current");
  return card;
}

/** What is dropped beside a class, or pasted. */
export function takeDropped() {
  if (listens) return;
  listens = true;
  const isHere = () => place().screen === "collect" && !!current?.isConnected;
  document.addEventListener("dragover", (event) => isHere() && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!isHere()) return;
    event.preventDefault();
    const card = /** @type {any} */ (/** @type {Element} */ (event.target).closest?.(".class"));
    say(byId("collect-trouble"), card ? "" : t("collect.drop.beside"));
    card?.take([...(event.dataTransfer?.files ?? [])]);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (isHere() && files.length) current.take(files);
  });
}

/** @param {import("./ask_collect.js").DataSet} set @param {import("./ask_collect.js").Class} of @returns {any} a list item; `take` saves files */
export function classCard(set, of) {
  const count = el("span", { className: "small" });
  const pictures = el("ul", { className: "shots", "aria-label": t("collect.class.pictures", { class: of.name }) });
  const more = button("", () => draw(true), { className: "small" });
  const trouble = el("p", { className: "error", role: "alert", hidden: true });
  const remove = button(t("collect.class.remove"), () => guarded(async () => {
    await removeClass(set.id, of.id);
    set.classes.splice(set.classes.indexOf(of), 1);
    card.remove();
    byId("collect-class").focus();
  }), { "aria-label": t("collect.class.remove.which", { class: of.name }) });
  let all = false;

  const guarded = async (/** @type {() => Promise<void>} */ work) => {
    say(trouble);
    await work().catch((error) => say(trouble, error.message));
  };
  const draw = (all_ = all) => {
    all = all_;
    count.textContent = t("collect.class.count", { count: of.pictures.length });
    const wanted = all ? of.pictures : of.pictures.slice(0, SHOWN);
    const there = new Map([...pictures.children].map((each) => [each.dataset.picture, each]));
    pictures.replaceChildren(...wanted.map((picture) => there.get(picture) ?? thumbnail(picture)));
    more.hidden = wanted.length === of.pictures.length;
    more.textContent = t("collect.class.all", { count: of.pictures.length });
    remove.hidden = of.pictures.length > 0;
  };
  const thumbnail = (/** @type {string} */ picture) => {
    const image = el("img", { src: collectedAddress(set.id, of.id, picture), alt: "", loading: "lazy", width: 72, height: 72 });
    const away = button("×", () => guarded(async () => {
      const next = item.nextElementSibling ?? item.previousElementSibling;
      of.pictures = (await removePicture(set.id, of.id, picture)).pictures;
      draw();
      (next?.querySelector("button") ?? add).focus();
      tell(t("collect.picture.removed", { class: of.name, count: of.pictures.length }));
    }), { "aria-label": t("collect.picture.remove", { class: of.name }), title: t("collect.picture.remove", { class: of.name }) });
    const item = el("li", {}, image, away);
    item.dataset.picture = picture;
    return item;
  };
  const save = async (/** @type {Blob} */ file) => {
    await refuseUnsendable(file);
    of.pictures.unshift((await collect(set.id, of.id, file)).picture);
    draw();
  };
  const take = async (/** @type {File[]} */ files) => {
    say(trouble, files.length ? "" : t("collect.drop.none"));
    const before = of.pictures.length;
    let [failed, first] = [0, ""];
    for (const file of files) {
      await save(file).catch((error) => {
        first ||= t("collect.refused", { file: file.name, why: said(error.message).replace(/^the picture /, "it ").replace(/[.。]$/, "") });
        failed++;
      });
    }
    if (failed) say(trouble, failed > 1 ? `${first} ${t("collect.refused.more", { count: failed - 1 })}` : first);
    if (of.pictures.length > before) tell(t("collect.saved", { class: of.name, count: of.pictures.length }));
  };
  const input = el("input", { type: "file", multiple: true, hidden: true, accept: "image/*,.heic,.heif,.tif,.tiff,.pgm,.ppm,.bmp" });
  input.onchange = () => {
    take([...input.files]);
    input.value = "";
  };
  const add = button(t("collect.choose"), () => input.click(), { "aria-label": t("collect.choose.which", { class: of.name }) });
  const card = el(
    "li",
    { className: "class" },
    el("div", { className: "row" }, el("h3", {}, of.name), count),
    el("div", { className: "row" }, cameraButton(of, () => guarded(async () => save(await shot()))), add, input, remove),
    trouble,
    pictures,
    more,
  );
  card.take = take;
  for (const event of ["focusin", "pointerdown"]) card.addEventListener(event, () => currentCard(card));
  draw();
  return card;
}

/** Takes one picture when it is pressed, and more while it is held. @param {import("./ask_collect.js").Class} of @param {() => Promise<void>} one */
function cameraButton(of, one) {
  const label = t("collect.take.which", { class: of.name });
  const press = button(t("collect.take"), () => {}, { className: "main take", "aria-label": label, hidden: !isCameraOpen() });
  let [held, busy] = [false, false];
  const series = async () => {
    if (busy) return;
    busy = true;
    do {
      await one();
      await new Promise((resolve) => setTimeout(resolve, SERIES_MILLISECONDS));
    } while (held && isCameraOpen());
    busy = false;
    tell(t("collect.saved", { class: of.name, count: of.pictures.length }));
  };
  press.onpointerdown = (/** @type {PointerEvent} */ event) => {
    if (event.button) return;
    held = true;
    series();
  };
  for (const name of ["pointerup", "pointerleave", "pointercancel"]) press.addEventListener(name, () => (held = false));
  press.onclick = (/** @type {MouseEvent} */ event) => event.detail === 0 && series(); // by keyboard, or a screen reader
  press.oncontextmenu = (/** @type {Event} */ event) => event.preventDefault(); // of a long press on a phone
  whenCamera((isOpen) => (press.hidden = !isOpen));
  return press;
}

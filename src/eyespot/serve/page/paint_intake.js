/** How a photo and a painting come in: chosen, pasted, or dropped on their places or anywhere on the page. */

import { byId, say } from "./elements.js";
import { refuseUnsendable } from "./sendable.js";

/** @typedef {"photo" | "painting"} Place */
/** @type {Place[]} */
const PLACES = ["photo", "painting"];
/** @type {Partial<Record<Place, File>>} */
const there = {};

/** @param {(pair: {photo: File, painting: File}) => void} take - called whenever both are there and one of them is new */
export function takePair(take) {
  const put = (/** @type {File[]} */ files, /** @type {Place} */ place) => handOn(files, place, take);
  for (const place of PLACES) {
    const input = /** @type {HTMLInputElement} */ (byId(`${place}-file`));
    byId(`${place}-choose`).onclick = () => input.click();
    input.onchange = () => {
      put([...input.files], place);
      input.value = ""; // so that the same file may be chosen again
    };
  }
  takeDropped(put);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length && isShown()) put(files, firstFree());
  });
}

/** @param {(files: File[], place: Place) => void} put */
function takeDropped(put) {
  const light = (/** @type {Place | undefined} */ under) => {
    for (const place of PLACES) byId(`${place}-place`).classList.toggle("over", place === under);
  };
  document.addEventListener("dragover", (event) => light(placeOf(event.target) ?? firstFree()));
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) light(undefined);
  });
  document.addEventListener("drop", (event) => {
    light(undefined);
    if (isShown()) put([...(event.dataTransfer?.files ?? [])], placeOf(event.target) ?? firstFree());
  });
}

/** @param {EventTarget} target @returns {Place | undefined} */
function placeOf(target) {
  return PLACES.find((place) => byId(`${place}-place`).contains(/** @type {Node} */ (target)));
}

/** @returns {Place} */
function firstFree() {
  return PLACES.find((place) => !there[place]) ?? "photo";
}

/** @returns {boolean} whether this part of the page is the one that is shown */
function isShown() {
  return !byId("paint").hidden;
}

/**
 * One file goes to its place, the first two to both.
 * @param {File[]} files @param {Place} place @param {(pair: {photo: File, painting: File}) => void} take
 */
async function handOn(files, place, take) {
  const trouble = byId("paint-trouble");
  say(trouble, files.length ? "" : "There was no file in that: save the picture, then drop or choose its file.");
  const places = files.length > 1 ? PLACES : [place];
  for (const [number, each] of places.entries()) {
    if (!files.length) return;
    try {
      await refuseUnsendable(files[number]);
      there[each] = files[number];
      show(each, files[number]);
    } catch (error) {
      say(trouble, error.message);
      return;
    }
  }
  const { photo, painting } = there;
  if (photo && painting) take({ photo, painting });
}

/** @param {Place} place @param {File} file */
function show(place, file) {
  const figure = /** @type {HTMLElement} */ (byId(`${place}-place`).querySelector("figure"));
  const image = figure.querySelector("img");
  URL.revokeObjectURL(image.src);
  image.alt = file.name;
  image.onload = () => (image.hidden = false);
  image.onerror = () => {
    image.hidden = true;
    figure.querySelector("figcaption").textContent = `${file.name}: this browser cannot show pictures of this kind.`;
  };
  image.src = URL.createObjectURL(file);
  figure.querySelector("figcaption").textContent = file.name;
  figure.hidden = false;
  /** @type {HTMLElement} */ (byId(`${place}-place`).querySelector(".hint")).hidden = true;
  byId(`${place}-choose`).classList.remove("main"); // what comes next is elsewhere
}

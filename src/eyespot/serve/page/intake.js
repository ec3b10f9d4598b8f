/** How pictures that are asked about come in: dropped, chosen or pasted. */

import { byId, say } from "./elements.js";

/** @param {(files: File[]) => void} take - what to do with them */
export function takePictures(take) {
  const input = /** @type {HTMLInputElement} */ (byId("files"));
  byId("choose").onclick = () => input.click();
  input.onchange = () => {
    handOn([...input.files], take);
    input.value = ""; // so that the same file may be chosen again
  };
  takeDropped(take);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length && isShown()) handOn(files, take);
  });
}

/** The whole page takes what is dropped: the browser would leave it otherwise. @param {(files: File[]) => void} take */
function takeDropped(take) {
  const light = (/** @type {boolean} */ on) => byId("drop").classList.toggle("over", on);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    light(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) light(false);
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    light(false);
    if (isShown()) handOn([...(event.dataTransfer?.files ?? [])], take);
  });
}

/** @returns {boolean} whether pictures are asked about now: else they are for another part of the page */
function isShown() {
  return !byId("desk").hidden;
}

/** @param {File[]} files @param {(files: File[]) => void} take */
function handOn(files, take) {
  say(byId("ask-trouble"), files.length ? "" : "There was no file in that: save the picture, then drop or choose its file.");
  if (files.length) take(files);
}

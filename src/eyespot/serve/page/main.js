/** The page of `eyespot serve`: what is served, and its answers about pictures and drawings. */

import { ask, clearAnswers } from "./answers.js";
import { fetchModel } from "./api.js";
import { useCamera } from "./camera.js";
import { offerDrawing } from "./drawing.js";
import { byId, say } from "./elements.js";
import { takePictures } from "./intake.js";
import { showModel } from "./model_card.js";

/** @type {import("./api.js").Model} */
let model;

try {
  model = await fetchModel();
  begin();
} catch (error) {
  say(byId("trouble"), error.message);
}

function begin() {
  showModel(model);
  takePictures(askAbout);
  useCamera(askAbout);
  byId("clear-answers").onclick = () => {
    clearAnswers();
    byId("choose").focus();
  };
  byId("desk").hidden = document.querySelector("footer").hidden = false;
  if (model.draws) offerDrawing(() => model, noticeNewModel);
}

/** @param {File[]} files */
function askAbout(files) {
  ask(files.map((file) => ({ picture: file, name: file.name })), () => model, noticeNewModel);
}

/** The served model may be replaced at any time: its answers tell. @param {import("./api.js").Answer} answer */
async function noticeNewModel({ fingerprint }) {
  if (fingerprint === model.fingerprint) return;
  model = await fetchModel();
  showModel(model);
}

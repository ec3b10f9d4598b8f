/**
 * The page of `eyespot serve`: what is served, its answers about pictures and drawings, and painting. An export for the
 * web has it, too, with an `api.js` of its own.
 */

import { ask, clearAnswers } from "./answers.js";
import { fetchModel } from "./api.js";
import { useCamera } from "./camera.js";
import { offerDrawing } from "./drawing.js";
import { byId, say } from "./elements.js";
import { takePictures } from "./intake.js";
import { showModel } from "./model_card.js";

/** @type {import("./api.js").Model} */
let model;
let drawingIsOffered = false;

try {
  model = await fetchModel();
  await begin();
} catch (error) {
  say(byId("trouble"), error.message);
}

async function begin() {
  show();
  takePictures(askAbout);
  useCamera(askAbout);
  byId("clear-answers").onclick = () => {
    clearAnswers();
    byId("choose").focus();
  };
  if (model.paint) await offerToPaint();
  byId("desk").hidden = document.querySelector("footer").hidden = false;
}

/** Only where the server paints: other pages have none of it. */
async function offerToPaint() {
  const [{ offerTabs }, { offerPainting }] = await Promise.all([import("./tabs.js"), import("./paint.js")]);
  offerTabs();
  offerPainting(model.paint);
}

/** The model, and whether it can read what is drawn. */
function show() {
  const classifier = () => /** @type {import("./api.js").Classifier} */ (model);
  showModel(model);
  byId("draw").hidden = !classifier().draws;
  if (classifier().draws && !drawingIsOffered) {
    drawingIsOffered = true;
    offerDrawing(classifier, renew);
  }
}

/** @param {File[]} files */
function askAbout(files) {
  ask(files.map((file) => ({ picture: file, name: file.name })), () => model, renew);
}

/** The served model may be replaced at any time, and its answers tell. @returns {Promise<boolean>} whether it was */
async function renew() {
  const { fingerprint } = model;
  model = await fetchModel();
  if (model.fingerprint === fingerprint) return false;
  show();
  return true;
}

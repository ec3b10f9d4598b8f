/** The camera, which is asked for when a person wants it, and let go when she closes it or leaves. */

import { byId, say } from "./elements.js";

const REASONS = {
  NotAllowedError: "The browser was not allowed to use the camera: allow it beside the address, then try again.",
  NotFoundError: "There is no camera on this device: choose or drop a picture instead.",
  NotReadableError: "The camera cannot be used: look whether another program uses it.",
};
const QUALITY = 0.92;
let taken = 0;

/** @param {(files: File[]) => void} take - what to do with a picture */
export function useCamera(take) {
  const view = /** @type {HTMLVideoElement} */ (byId("view"));
  byId("camera-open").onclick = () => (view.srcObject ? close(view) : open(view));
  byId("camera-close").onclick = () => {
    close(view);
    byId("camera-open").focus();
  };
  byId("take").onclick = async () => take([await picture(view)]);
  addEventListener("pagehide", () => close(view));
}

/** @param {HTMLVideoElement} view */
async function open(view) {
  say(byId("ask-trouble"));
  if (!navigator.mediaDevices) {
    say(byId("ask-trouble"), "Browsers allow the camera only on a page from this machine itself, or over https.");
    return;
  }
  const button = /** @type {HTMLButtonElement} */ (byId("camera-open"));
  button.disabled = true; // a second press would turn on a camera that nothing turns off
  try {
    await start(view);
    show(true);
    byId("take").focus();
  } catch (error) {
    say(byId("ask-trouble"), REASONS[error.name] ?? `The camera cannot be used: ${error.message}.`);
  }
  button.disabled = false;
  if (!view.srcObject) button.focus(); // which it lost as it could not be pressed
}

/** @param {HTMLVideoElement} view - that shows the camera, or else the camera is off */
async function start(view) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  try {
    view.srcObject = stream;
    await view.play();
  } catch (error) {
    stop(stream);
    view.srcObject = null;
    throw error;
  }
}

/** @param {MediaStream} stream */
function stop(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

/** @param {HTMLVideoElement} view */
function close(view) {
  if (view.srcObject) stop(/** @type {MediaStream} */ (view.srcObject));
  view.srcObject = null;
  show(false);
}

/** @param {boolean} shown */
function show(shown) {
  byId("camera").hidden = !shown;
  byId("camera-open").setAttribute("aria-expanded", `${shown}`);
}

/** @param {HTMLVideoElement} view @returns {Promise<File>} what the camera sees now */
async function picture(view) {
  const canvas = document.createElement("canvas");
  canvas.width = view.videoWidth;
  canvas.height = view.videoHeight;
  canvas.getContext("2d").drawImage(view, 0, 0);
  const jpeg = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return new File([jpeg], `camera ${++taken}.jpg`, { type: "image/jpeg" });
}

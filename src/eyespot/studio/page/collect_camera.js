/** The camera: asked for when a person wants it, let go when she closes it or leaves. */

import { button, el } from "./dom.js";
import { say } from "./elements.js";
import { t } from "./words.js";

const REASONS = {
  NotAllowedError: "camera.NotAllowedError",
  NotFoundError: "camera.NotFoundError",
  NotReadableError: "camera.NotReadableError",
};
const QUALITY = 0.92;
const WIDTH = 640; // that is asked for: networks see less
/** @type {MediaStream | null} */
let stream = null;
/** @type {any} */
let view = el("video", { muted: true, autoplay: true, playsInline: true });
/** @type {((isOpen: boolean) => void)[]} */
let listeners = [];

addEventListener("pagehide", closeCamera);

export const isCameraOpen = () => stream !== null;

/** @param {(isOpen: boolean) => void} listener - called after every change, until the panel is drawn anew */
export function whenCamera(listener) {
  listeners.push(listener);
}

/** Opens the camera unless it is open; else the error is one clear sentence. */
export async function openCamera() {
  if (stream) return;
  if (!navigator.mediaDevices) throw new Error(t("camera.insecure"));
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: WIDTH } } });
    view.srcObject = stream;
    stream.getVideoTracks()[0].onended = closeCamera; // it was pulled out
    await view.play();
  } catch (error) {
    closeCamera();
    throw new Error(t(REASONS[error.name] ?? "camera.other", { why: error.message }));
  }
  for (const listener of listeners) listener(true);
}

export function closeCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = view.srcObject = null;
  for (const listener of listeners) listener(false);
}

/** @returns {Promise<File>} what the camera sees now */
export async function shot() {
  if (!stream || !view.videoWidth) throw new Error(t("camera.closed"));
  const canvas = el("canvas", { width: view.videoWidth, height: view.videoHeight });
  canvas.getContext("2d").drawImage(view, 0, 0);
  const jpeg = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return new File([jpeg], "camera.jpg", { type: "image/jpeg" });
}

/** The picture of the camera and the button that opens and closes it. @returns {HTMLElement} */
export function cameraPanel() {
  listeners = [];
  view.setAttribute("aria-label", t("camera.view"));
  const trouble = el("p", { className: "error", role: "alert", hidden: true });
  const toggle = button("", async () => {
    say(trouble);
    if (stream) return closeCamera();
    toggle.disabled = true; // a second press would turn on a camera that nothing turns off
    await openCamera().catch((error) => say(trouble, error.message));
    toggle.disabled = false;
    toggle.focus();
  }, { id: "camera-toggle" });
  const hint = el("p", { className: "small soft" });
  const draw = (/** @type {boolean} */ isOpen) => {
    toggle.textContent = t(isOpen ? "camera.close" : "camera.open");
    hint.textContent = t(isOpen ? "camera.hint" : "camera.why");
    view.hidden = !isOpen;
  };
  whenCamera(draw);
  draw(isCameraOpen());
  return el("div", { className: "camera-panel" }, view, el("div", {}, toggle, hint, trouble));
}

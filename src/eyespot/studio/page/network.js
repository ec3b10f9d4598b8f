/** The screen NETWORK, with LAYER and VALUE: the picture, all layers, one of them, one of its numbers. */

import { openDesk, showDesk } from "./desk.js";
import { showExciting } from "./exciting.js";
import { showLayer } from "./layer.js";
import { beginWithOwn, showOwn } from "./own_picker.js";
import { buildStrip, drawStrip, markChosen } from "./strip.js";
import { showValue } from "./value.js";

let isOpen = false;
let isShown = false;

/** @param {import("./ask.js").Network} network @param {any} now @param {any} before */
export async function show(network, now, before) {
  if (!isOpen) openDesk(network);
  isOpen = true;
  if (!now.picture && (await beginWithOwn(network))) return; // it comes again, with a picture
  const isNew = !isShown || now.picture !== before.picture;
  isShown = true;
  const picture = now.picture ?? network.blank;
  const isBuilt = buildStrip(network);
  const work = [showLayer(network, picture), showValue(network, picture), showOwn(network), showExciting(network)];
  if (isNew || now.lang !== before.lang) work.push(showDesk(network, picture));
  if (isNew || isBuilt) work.push(drawStrip(picture));
  markChosen();
  await Promise.all(work);
}

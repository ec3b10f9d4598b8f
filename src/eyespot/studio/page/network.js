/** The screen NETWORK, with LAYER and VALUE: the picture, all layers, one of them, one of its numbers. */

import { openDesk, showDesk } from "./desk.js";
import { showLayer } from "./layer.js";
import { buildStrip, drawStrip, markChosen } from "./strip.js";
import { showValue } from "./value.js";

let isOpen = false;

/** @param {import("./ask.js").Network} network @param {any} now @param {any} before */
export async function show(network, now, before) {
  if (!isOpen) openDesk(network);
  const isNew = !isOpen || now.picture !== before.picture;
  isOpen = true;
  const picture = now.picture ?? network.blank;
  const isBuilt = buildStrip(network);
  const work = [showLayer(network, picture), showValue(network, picture)];
  if (isNew || now.lang !== before.lang) work.push(showDesk(network, picture));
  if (isNew || isBuilt) work.push(drawStrip(picture));
  markChosen();
  await Promise.all(work);
}

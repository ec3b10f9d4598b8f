/** The run's own pictures as the page shows them: a thumbnail that is a link, with what is known of it. */

import { thumbnailAddress } from "./ask_errors.js";
import { el } from "./dom.js";
import { percent } from "./elements.js";
import { said } from "./said.js";
import { t } from "./words.js";

const SUREST = 0.9999; // probabilities are written with four digits: no one is said to be certain
const SMALL = 64; // pixels of an image that is shown larger than it is
const COPY = /^saved twice: (.*) is the same picture$/;

/** @param {import("./ask_errors.js").Part} part @returns {string} such as "test pictures" */
export const partName = (part) => t({ test: "own.test", val: "own.val", train: "own.train" }[part]);

/** @param {number} probability @returns {string} */
export const sure = (probability) => percent(Math.min(SUREST, probability)).replace("\u2009", "\u202f");

/** Its place is free before it is there. @param {string} picture - its id @param {import("./ask.js").Network} network @returns {HTMLImageElement} */
export function thumbnail(picture, { layers }) {
  const [, height, width] = layers[0].output;
  return el("img", { src: thumbnailAddress(picture), alt: "", loading: "lazy", className: Math.max(height, width) > SMALL ? "thumbnail" : "thumbnail pixels", width, height });
}

/** Whether the run answered wrongly. @param {import("./ask_errors.js").OwnPicture} picture */
export const isMistake = ({ truth, answer }) => answer !== null && truth !== answer;

/** Class, answer and probability in words. @param {import("./ask_errors.js").OwnPicture} picture @param {string[]} classes @returns {string} */
export function described({ truth, answer, probability }, classes) {
  const name = truth === null ? "?" : classes[truth];
  if (answer === null) return t("own.class", { class: name });
  return t(truth === answer ? "own.right" : "own.answered", { class: name, answer: classes[answer], share: sure(probability) });
}

/** What an audit says against the picture, in words; empty where there is nothing. @param {import("./ask_errors.js").OwnPicture} picture */
export function doubt({ why, likelier }) {
  if (!why) return "";
  const copy = COPY.exec(why);
  if (copy) return t("own.copy", { name: copy[1] });
  if (why === "label doubtful") return likelier ? t("own.doubtful", { class: likelier }) : t("own.doubtful.alone");
  return t("own.audit", { why: said(why) });
}

/** Why the run's pictures are not there, in words. @param {import("./ask_errors.js").Own} own */
export function missing({ why, said: reason }) {
  if (why === "catalogue") return t("own.catalogue");
  if (why === "bundle") return t("own.bundle");
  return t("own.moved", { said: said(reason) });
}

/** How far the search for them is. @param {import("./ask_errors.js").Own} own */
export const looking = ({ done, of }) => (of ? t("own.looking.done", { done, of }) : t("own.looking"));

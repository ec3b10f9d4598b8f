/**
 * Boxes drawn over a picture. It is for the eyes: the list beside it says the same in words.
 *
 * @typedef {import("./api.js").Box & {color: string}} Colored
 * @typedef {object} Layer
 * @property {(count: number) => void} showFirst - shows that many boxes
 * @property {(place: number | null) => void} point - has one stand out, by its place among them
 * @property {(place: number | null) => void} onPoint - called when a person points at one
 */

import { percent } from "./elements.js";

const SVG = "http://www.w3.org/2000/svg";
const FEW = 6; // up to so many boxes are all named on the picture
const NEAR_THE_TOP = 0.1; // of the picture: a name above a box would not be seen
const FAR_RIGHT = 0.6;

/**
 * @param {HTMLElement} card @param {Colored[]} boxes - the surest first
 * @param {{width: number, height: number}} size - of the picture that they are measured in, pixels
 * @returns {Layer}
 */
export function layBoxes(card, boxes, size) {
  const svg = card.querySelector(".layer");
  const drawn = boxes.map((box) => drawBox(box));
  const tags = boxes.map((box) => nameBox(box, size));
  svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);
  const largestFirst = [...boxes.keys()].sort((a, b) => area(boxes[b].xyxy) - area(boxes[a].xyxy));
  svg.replaceChildren(...largestFirst.map((place) => drawn[place])); // so that a small one in a large one can be hit
  card.querySelector(".tags").replaceChildren(...tags);
  let shown = boxes.length;
  /** @type {number | null} */
  let pointed = null;

  const layer = {
    onPoint: (/** @type {number | null} */ place) => {},
    showFirst: (/** @type {number} */ count) => {
      shown = count;
      refresh();
    },
    point: (/** @type {number | null} */ place) => {
      pointed = place;
      refresh();
    },
  };
  const refresh = () => {
    svg.classList.toggle("pointed", pointed !== null);
    boxes.forEach((_, place) => {
      drawn[place].toggleAttribute("hidden", place >= shown);
      drawn[place].classList.toggle("active", place === pointed);
      tags[place].hidden = place >= shown || (pointed === null ? shown > FEW : place !== pointed);
    });
  };
  drawn.forEach((group, place) => {
    group.onpointerenter = () => layer.onPoint(place);
    group.onpointerleave = () => layer.onPoint(null);
  });
  return layer;
}

/** @param {Colored} box @returns {SVGGElement} twice the same rectangle: a white line beneath the colored one */
function drawBox({ xyxy: [left, top, right, bottom], color }) {
  const group = document.createElementNS(SVG, "g");
  group.style.setProperty("--color", color);
  for (const kind of ["halo", "line"]) {
    const rectangle = document.createElementNS(SVG, "rect");
    rectangle.setAttribute("class", kind);
    const sides = { x: left, y: top, width: right - left, height: bottom - top };
    for (const [name, value] of Object.entries(sides)) rectangle.setAttribute(name, `${value}`);
    group.append(rectangle);
  }
  return group;
}

/** @param {Colored} box @param {{width: number, height: number}} size @returns {HTMLElement} */
function nameBox({ class: name, probability, xyxy: [left, top, right], color }, { width, height }) {
  const tag = document.createElement("span");
  tag.className = top > NEAR_THE_TOP * height ? "tag above" : "tag";
  tag.textContent = `${name} ${percent(probability)}`;
  tag.style.setProperty("--color", color);
  tag.style.top = `${(100 * top) / height}%`;
  if (left > FAR_RIGHT * width) tag.style.right = `${100 - (100 * right) / width}%`;
  else tag.style.left = `${(100 * left) / width}%`;
  return tag;
}

/** A drawing of curves over the steps of a training, with axes, as SVG. Its colours are in training.css. */

const MARGIN = { left: 52, right: 14, top: 12, bottom: 40 };
const HEIGHT = 250;
const WIDE_TICK = 64; // pixels that a tick of the lower axis needs

/**
 * @typedef {object} Curve
 * @property {string} kind - a class of training.css: how it is drawn
 * @property {[number, number][]} points - step and value
 *
 * @typedef {object} Chart
 * @property {Curve[]} curves
 * @property {[number, number, number][]} [band] - step, lower and upper end
 * @property {[number, number]} domain - the steps at the ends of the lower axis
 * @property {[number, string][]} ticks - of the lower axis: step and what stands there
 * @property {string} below - what the lower axis counts
 * @property {[number, number]} range - of the values
 * @property {(value: number) => string} written
 * @property {number} [mark] - a step at which a line stands
 * @property {string} label - the same in words, for a screen reader
 */

/** @param {Chart} chart @param {number} width - pixels @returns {SVGElement} */
export function drawn({ curves, band = [], domain, ticks, below, range, written, mark, label }, width) {
  const [first, last] = domain;
  const [right, bottom] = [width - MARGIN.right, HEIGHT - MARGIN.bottom];
  const x = (/** @type {number} */ step) => (last > first ? MARGIN.left + ((step - first) / (last - first)) * (right - MARGIN.left) : (MARGIN.left + right) / 2);
  const y = (/** @type {number} */ value) => bottom - ((clamped(value, range) - range[0]) / (range[1] - range[0])) * (bottom - MARGIN.top);
  const shown = spread(ticks.filter(([step]) => step >= first && step <= last), Math.max(2, Math.floor((right - MARGIN.left) / WIDE_TICK)));
  return svg("svg", { class: "chart", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label }, [
    ...levels(range).flatMap((value) => [
      svg("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
      text("end", MARGIN.left - 8, y(value) + 4, written(value)),
    ]),
    ...shown.flatMap(([step, said]) => [
      svg("line", { class: "axis", x1: x(step), x2: x(step), y1: bottom, y2: bottom + 5 }),
      text("middle", x(step), bottom + 19, said),
    ]),
    svg("line", { class: "axis", x1: MARGIN.left, x2: right, y1: bottom, y2: bottom }),
    text("middle", (MARGIN.left + right) / 2, HEIGHT - 4, below),
    ...(mark === undefined ? [] : [svg("line", { class: "mark", x1: x(mark), x2: x(mark), y1: MARGIN.top, y2: bottom })]),
    ...bandOf(band, x, y),
    ...curves.flatMap(({ kind, points }) => [
      svg("path", { class: `curve ${kind}`, d: path(points.map(([step, value]) => [x(step), y(value)])) }),
      ...(kind === "batch" || points.length > 60 ? [] : points.map(([step, value]) => svg("circle", { class: `dot ${kind}`, cx: x(step), cy: y(value), r: 2.5 }))),
    ]),
  ]);
}

/** A range for values of 0 or more, that ends at a level. @param {number[]} values @returns {[number, number]} */
export function fromZero(values) {
  const most = Math.max(...values, 0) || 1;
  const step = stepOf(most);
  return [0, Math.ceil(most / step - 1e-9) * step];
}

/** A range for shares that shows what they differ by, to 1. @param {number[]} values @returns {[number, number]} */
export const toOne = (values) => [Math.min(0.9, Math.floor(10 * Math.min(...values, 0.9)) / 10), 1];

/** @param {[number, number, number][]} band @param {(step: number) => number} x @param {(value: number) => number} y */
function bandOf(band, x, y) {
  if (!band.length) return [];
  const ends = band.map(([step, low, high]) => svg("line", { class: "reach", x1: x(step), x2: x(step), y1: y(low), y2: y(high) }));
  const around = [...band.map(([step, , high]) => [x(step), y(high)]), ...[...band].reverse().map(([step, low]) => [x(step), y(low)])];
  return band.length > 1 ? [svg("path", { class: "band-area", d: `${path(around)}Z` })] : ends;
}

/** Values at which lines lie. @param {[number, number]} range @returns {number[]} */
function levels([least, most]) {
  const step = stepOf(most - least);
  const count = Math.round((most - least) / step);
  return Array.from({ length: count + 1 }, (_, at) => least + at * step);
}

/** 1, 2 or 5 times a power of ten, 3 to 6 of which make a length. @param {number} length */
function stepOf(length) {
  const power = 10 ** Math.floor(Math.log10(length));
  return [0.2, 0.5, 1].map((each) => each * power).find((step) => length / step <= 6) ?? power;
}

/** As many of them as there is room for, evenly. @template T @param {T[]} all @param {number} most @returns {T[]} */
function spread(all, most) {
  const every = Math.ceil(all.length / most);
  const round = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000].find((each) => each >= every) ?? every;
  return all.filter((_, at) => (at + 1) % round === 0 || (round >= all.length && at === all.length - 1));
}

/** @param {number} value @param {[number, number]} range */
const clamped = (value, [least, most]) => Math.max(least, Math.min(most, value));

/** @param {number[][]} points */
const path = (points) => points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** @param {string} anchor @param {number} x @param {number} y @param {string} said */
function text(anchor, x, y, said) {
  const element = svg("text", { x, y, "text-anchor": anchor });
  element.textContent = said;
  return element;
}

/** @param {string} tag @param {Record<string, string | number>} given @param {SVGElement[]} [children] @returns {SVGElement} */
function svg(tag, given, children = []) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(given)) element.setAttribute(name, `${value}`);
  element.append(...children);
  return element;
}

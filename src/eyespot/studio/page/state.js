/**
 * What is looked at, kept in the address, so that a place can be sent to somebody and "back" works.
 *
 * @typedef {Record<string, any> & Known} Place - a screen may keep more, as strings
 * @typedef {object} Known
 * @property {string} [screen] - "network" where none is named
 * @property {string} [picture] - its number on the desk
 * @property {string} [layer]
 * @property {number} [map]
 * @property {number[]} [cell] - row and column
 * @property {string} [lang]
 * @property {string} [run] - the name of the run that the address was made for, where that is known
 */

const FIRST = ["screen", "layer", "map", "cell"]; // in an address
/** @type {((place: Place, before: Place) => void)[]} */
const listeners = [];
/** @type {Place} */
let current = read();

/** @returns {Place} */
export function place() {
  return current;
}

/** Where such a change leads, for a link. @param {Record<string, string | number | number[] | null>} change @returns {string} */
export function addressOf(change) {
  const next = { ...Object.fromEntries(FIRST.map((name) => [name, null])), ...current, ...change };
  const said = Object.entries(next).filter(([, value]) => value != null);
  return `#${new URLSearchParams(said.map(([name, value]) => [name, `${value}`]))}`;
}

/**
 * Go somewhere: what is not named stays; null takes it away.
 * @param {Record<string, string | number | number[] | null>} change
 * @param {{replace?: boolean}} [how] - replace: the place before is none to come back to
 */
export function go(change, { replace = false } = {}) {
  const address = addressOf(change);
  if (address === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  changed();
}

/** @param {(place: Place, before: Place) => void} listener - called after every change */
export function onChange(listener) {
  listeners.push(listener);
}

addEventListener("popstate", changed);

function changed() {
  const before = current;
  current = read();
  for (const listener of listeners) listener(current, before);
}

/** @returns {Place} */
function read() {
  const said = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const numbers = (said.cell ?? "").split(",").map(Number);
  return {
    ...said,
    map: /^\d+$/.test(said.map ?? "") ? Number(said.map) : undefined,
    cell: numbers.length === 2 && numbers.every(Number.isInteger) ? numbers : undefined,
  };
}

/** Elements of the page, found and filled. What others wrote goes in as text, never as markup. */

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id - of a template @returns {HTMLElement} a new copy of what is in it */
export function copyOf(id) {
  const template = /** @type {HTMLTemplateElement} */ (byId(id));
  return /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
}

/**
 * Show a text, or hide its element where there is none.
 * @param {HTMLElement} element @param {string} [text]
 */
export function say(element, text = "") {
  element.textContent = text;
  element.hidden = !text;
}

/**
 * Have a screen reader say a text when it is done with what it is saying.
 * @param {string} text
 */
export function tell(text) {
  byId("told").textContent = text;
}

/** @param {number} share - 0 to 1 @returns {string} never 100 % or 0 % where it is not quite so much or so little */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "<\u20090.1\u00a0%";
  if (share < 1 && share >= 0.9995) return ">\u200999.9\u00a0%";
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

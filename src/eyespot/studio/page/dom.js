/** Elements made in a line. */

/**
 * @param {string} tag
 * @param {Record<string, any>} [given] - properties; `aria-...`, `role`, `scope` and `for` as attributes
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function el(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (/^(aria-|role$|scope$|for$|colspan$)/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** @param {string} text @param {() => void} onclick @param {Record<string, any>} [given] */
export const button = (text, onclick, given = {}) => el("button", { type: "button", onclick, textContent: text, ...given });

/**
 * A number that can be typed or stepped.
 * @param {string} label @param {number} value @param {number} most @param {(value: number) => void} changed
 * @param {number} [least]
 */
export function stepper(label, value, most, changed, least = 0) {
  const input = el("input", { type: "number", min: least, max: most, value, "aria-label": label });
  input.onchange = () => {
    const typed = Math.round(Number(input.value));
    changed(Math.max(least, Math.min(most, Number.isFinite(typed) ? typed : value)));
  };
  return el(
    "span",
    { className: "stepper" },
    el("span", { className: "stepped" }, label),
    button("−", () => changed(Math.max(least, value - 1)), { "aria-label": `${label} −`, disabled: value <= least }),
    input,
    button("+", () => changed(Math.min(most, value + 1)), { "aria-label": `${label} +`, disabled: value >= most }),
  );
}

/** @param {string} label @param {HTMLElement} field */
export const labelled = (label, field) => el("span", { className: "lab-field" }, el("label", { for: field.id }, label), field);

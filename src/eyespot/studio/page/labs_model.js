/** The network that a lab looks into, where it looks into one. */

import { el, labelled } from "./dom.js";
import { byId } from "./elements.js";
import { go, place } from "./state.js";
import { t } from "./words.js";

const OWN = "own";

/** @param {import("./ask_labs.js").Lab} lab @param {import("./ask_labs.js").Labs} labs @returns {Node[]} */
export function modelChoice(lab, { models }) {
  if (!lab.takes_model) return [];
  const select = el("select", { id: "lab-model", onchange: () => go({ model: select.value || null }, { replace: true }) });
  const names = Object.entries(models);
  select.append(...names.map(([value, name], at) => el("option", { value: at ? value : "" }, value === OWN ? t("labs.model.own", { name }) : name)));
  return [labelled(t("labs.model"), select)];
}

/** Puts what the address says into the form; what it says in vain, in words. @param {import("./ask_labs.js").Lab} lab @param {import("./ask_labs.js").Labs} labs @returns {string[]} */
export function fillModel(lab, { models }) {
  const select = /** @type {HTMLSelectElement | null} */ (byId("lab-model"));
  const { model } = place();
  if (!lab.takes_model || !select) return [];
  const isThere = model in models;
  select.value = isThere && model !== Object.keys(models)[0] ? model : "";
  return model && !isThere ? [t("labs.no-model", { model, name: Object.keys(models)[0] })] : [];
}

/** What a lab is asked with; null for its own choice. @returns {string | null} */
export const modelChosen = () => /** @type {HTMLSelectElement | null} */ (byId("lab-model"))?.value || null;

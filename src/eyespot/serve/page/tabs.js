/** The tabs at the top of the page: only one part of it is shown at a time. */

import { byId } from "./elements.js";

/** Show the tabs. The part that is shown already stays. */
export function offerTabs() {
  byId("tabs").hidden = false;
  for (const tab of tabs()) {
    const panel = panelOf(tab);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tab.onclick = () => choose(tab);
  }
  byId("tabs").onkeydown = (event) => {
    const next = neighbour(event.key);
    if (!next) return;
    event.preventDefault();
    choose(next);
    next.focus();
  };
}

/** @param {HTMLElement} chosen */
function choose(chosen) {
  for (const tab of tabs()) {
    tab.setAttribute("aria-selected", `${tab === chosen}`);
    tab.tabIndex = tab === chosen ? 0 : -1; // the arrow keys go from tab to tab
    panelOf(tab).hidden = tab !== chosen;
  }
}

/** @param {string} key @returns {HTMLElement | undefined} the tab that a key goes to */
function neighbour(key) {
  const all = tabs();
  const at = all.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  const places = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 };
  return key in places ? all.at(places[key] % all.length) : undefined;
}

/** @returns {HTMLElement[]} */
function tabs() {
  return [...byId("tabs").querySelectorAll("button")];
}

/** @param {HTMLElement} tab */
function panelOf(tab) {
  return byId(tab.getAttribute("aria-controls"));
}

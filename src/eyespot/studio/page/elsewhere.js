/** Another run was opened in another tab, or the studio was begun anew with one: says so, and offers either of the two. */

import { onOther } from "./ask.js";
import { fetchLobby, openRun } from "./ask_collect.js";
import { button } from "./dom.js";
import { byId, say } from "./elements.js";
import { place } from "./state.js";
import { t } from "./words.js";

/**
 * Looks from now on whenever somebody comes back to this tab, and whenever an answer is refused for it.
 * @param {import("./ask.js").Network | null} network - that is shown here @param {string | null} run - its id
 */
export function watchElsewhere(network, run) {
  const look = async () => {
    const open = await fetchLobby().catch(() => null); // told where something is asked for
    if (open) tell(open, network, run);
  };
  onOther(look);
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", () => document.hidden || look());
}

/** @param {import("./ask_collect.js").Lobby} lobby @param {import("./ask.js").Network | null} network @param {string | null} run */
function tell({ open, shown }, network, run) {
  const box = byId("elsewhere");
  box.hidden = shown === (network?.shown ?? null);
  const key = `${shown} ${document.documentElement.lang}`;
  if (box.hidden || box.dataset.key === key) return;
  box.dataset.key = key;
  const [here, name] = [network?.name ?? "", open ?? ""];
  const words = !open ? t("elsewhere.none", { here }) : network ? t("elsewhere.other", { here, name }) : t("elsewhere.first", { name });
  const newest = button(open ? t("elsewhere.show", { name }) : t("elsewhere.reload"), () => begin({ screen: network ? place().screen : "network", lang: place().lang }), { id: "elsewhere-show" });
  const again = button(t("elsewhere.again", { name: here }), () => reopen(run, again), { id: "elsewhere-again" });
  box.replaceChildren(words, " ", newest, ...(run ? [" ", again] : []));
}

/** The page anew, at another place. @param {Record<string, string | undefined>} there */
function begin(there) {
  const said = Object.entries(there).filter(([, value]) => value);
  history.replaceState(null, "", `#${new URLSearchParams(/** @type {string[][]} */ (said))}`);
  location.reload();
}

/** @param {string} run @param {HTMLButtonElement} pressed */
async function reopen(run, pressed) {
  const words = pressed.textContent;
  pressed.textContent = t("runs.opening");
  try {
    await openRun(run);
    location.reload(); // at the same place
  } catch (error) {
    pressed.textContent = words;
    say(byId("trouble"), error.message);
  }
}

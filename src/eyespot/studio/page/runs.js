/** The list of runs: the newest first, each with its figure and interval; one is opened. A new one begins with COLLECT. */

import { fetchLobby, fetchRuns, openRun } from "./ask_collect.js";
import { button, el } from "./dom.js";
import { byId, percent, say, tell } from "./elements.js";
import { said } from "./said.js";
import { addressOf, place } from "./state.js";
import { t } from "./words.js";

const STATES = { "going on": "runs.state.going on", stopped: "runs.state.stopped", damaged: "runs.state.damaged" };
const MEASURED_ON = { test: "runs.on.test", "cross-validation": "runs.on.cross-validation", validation: "runs.on.validation" };

/** @param {any} network @param {any} now */
export async function show(network, now) {
  const [lobby, runs] = await Promise.all([fetchLobby(), fetchRuns()]);
  if (place() !== now) return; // she went on meanwhile
  const list = runs.map((run) => item(run, run.id === lobby.run));
  byId("runs").replaceChildren(
    el(
      "section",
      { "aria-labelledby": "runs-title" },
      el("h2", { id: "runs-title" }, t("runs.title")),
      el("p", {}, t(network ? "runs.hint" : "runs.first", { folder: lobby.folder })),
      el("p", { id: "runs-trouble", className: "error", role: "alert", hidden: true }),
      el("ul", { className: "runs" }, newOne(), ...list),
      ...(runs.length ? [] : [el("p", { className: "soft" }, t("runs.none", { folder: lobby.folder }))]),
    ),
  );
}

function newOne() {
  return el("li", { className: "new" }, el("a", { href: addressOf({ screen: "collect", set: null, picture: null }) }, t("runs.new")), el("span", { className: "small" }, t("runs.new.what")));
}

/** @param {import("./ask_collect.js").Run} run @param {boolean} isOpen */
function item(run, isOpen) {
  const title = el("strong", { id: `run-${run.id}` }, run.name);
  const about = [run.network, run.data, moment(run.when)].filter(Boolean).join(" · ");
  return el(
    "li",
    { className: isOpen ? "open" : "" },
    el("span", { className: "who" }, title, el("span", { className: "small soft" }, about)),
    el("span", { className: "small" }, ...(run.state === "done" ? [figure(run)] : [t(STATES[run.state], { why: said(run.why) })])),
    isOpen ? el("a", { href: addressOf({ screen: "network", picture: null, set: null }) }, t("runs.look")) : opener(run, title.id),
  );
}

/** @param {import("./ask_collect.js").Run} run @param {string} title - id of its name */
function opener(run, title) {
  const open = button(t("runs.open"), () => enter(run, open), { id: `open-${run.id}`, disabled: run.state === "damaged" });
  open.setAttribute("aria-labelledby", `open-${run.id} ${title}`);
  return open;
}

/** @param {import("./ask_collect.js").Run} run @param {HTMLButtonElement} pressed */
async function enter(run, pressed) {
  say(byId("runs-trouble"));
  pressed.textContent = t("runs.opening");
  pressed.setAttribute("aria-disabled", "true");
  tell(t("runs.opening"));
  try {
    await openAndGo(run.id, { screen: "network" });
  } catch (error) {
    say(byId("runs-trouble"), error.message);
    pressed.textContent = t("runs.open");
    pressed.removeAttribute("aria-disabled");
  }
}

/** Opens a run; then the page begins anew with its network, there. @param {string} run @param {Record<string, string>} there */
export async function openAndGo(run, there) {
  await openRun(run);
  const { lang } = place();
  history.pushState(null, "", `#${new URLSearchParams({ ...there, ...(lang ? { lang } : {}) })}`);
  location.reload();
}

/** The figure of a run with its interval, in words. @param {import("./ask_collect.js").Run} run @returns {string} */
export function figure({ measure, value, low, high, measured_on }) {
  if (value === null) return t("runs.unmeasured");
  const values = { value: percent(value), low: percent(low), high: percent(high), measure, on: t(MEASURED_ON[measured_on]) };
  return t(measure === "accuracy" ? "runs.accuracy" : "runs.measure", values);
}

/** @param {string} when */
function moment(when) {
  return when ? new Date(when).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }) : "";
}

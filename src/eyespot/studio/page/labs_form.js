/** A lab's question, the guess, the data, and how many rounds: what is asked before any number is shown. */

import { fetchWork, startLab } from "./ask_labs.js";
import { el, labelled } from "./dom.js";
import { byId, say, tell } from "./elements.js";
import { watchAgain } from "./labs_progress.js";
import { facts } from "./labs_list.js";
import { fillModel, modelChoice, modelChosen } from "./labs_model.js";
import { addressOf, go, place } from "./state.js";
import { language, t } from "./words.js";

const SEEDS = 5;
const TIMES = ["10s", "30s", "1m", "2m", "5m", "10m"];

/** @param {import("./ask_labs.js").Lab} lab @param {import("./ask_labs.js").Labs} labs */
export function buildForm(lab, labs) {
  const form = el(
    "form",
    { className: "lab-form", noValidate: true },
    guesses(lab),
    el("div", { className: "row" }, dataChoice(labs), ...modelChoice(lab, labs), ...(lab.exact ? [] : [seedsInput(labs), timeChoice()])),
    el("p", { className: "small soft" }, [lab.exact ? t("labs.exact.hint") : t("labs.seeds.hint"), ...why(labs.own)].join(" ")),
    ...["lab-misnamed", "lab-trouble"].map((id) => el("p", { id, className: "error", role: "alert", hidden: true })),
    el("div", { className: "row" }, el("button", { type: "submit", id: "lab-run", className: "main" }, t("labs.run"))),
  );
  form.oninput = () => say(byId("lab-trouble"));
  form.onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    run(lab, labs);
  };
  return el(
    "section",
    { "aria-labelledby": "lab-title" },
    el("h2", { id: "lab-title", tabIndex: -1 }, lab.question),
    el("p", {}, t("labs.claim", { claim: lab.claim })),
    el("p", { className: "small soft" }, `${lab.name} · ${facts(lab)} · ${t("labs.settings", { count: lab.settings })}${lab.needs ? ` · ${t("labs.needs", { count: lab.needs })}` : ""}`),
    el("details", {}, el("summary", {}, t("labs.rule")), el("p", {}, lab.rule)),
    form,
    el("details", { id: "lab-kept" }, el("summary", {}), el("ul", {})),
  );
}

/** Puts what the address says into the form. @param {import("./ask_labs.js").Lab} lab @param {import("./ask_labs.js").Labs} labs */
export function fillForm(lab, labs) {
  const { guess, data, seeds, time } = place();
  for (const radio of /** @type {NodeListOf<HTMLInputElement>} */ (byId("labs").querySelectorAll('input[name="guess"]'))) radio.checked = radio.value === guess;
  fill("lab-data", data ?? "digits");
  fill("lab-seeds", seeds ?? `${SEEDS}`);
  fill("lab-time", TIMES.includes(time) ? time : "");
  const said = [];
  if (guess !== undefined && !lab.guesses[Number(guess) - 1]) said.push(t("labs.no-guess.address", { guess }));
  if (time && !TIMES.includes(time)) said.push(t("labs.no-time", { time, times: TIMES.join(", ") }));
  said.push(...fillModel(lab, labs));
  if (data && data !== "digits" && !(data === "own" && !labs.own.why)) said.push(t("labs.no-data", { data }));
  say(byId("lab-misnamed"), said.join(" "));
  kept(lab.kept);
}

/** @param {string} id @param {string} value */
function fill(id, value) {
  const field = /** @type {HTMLInputElement | null} */ (byId(id));
  if (field && field !== document.activeElement) field.value = value;
  if (field instanceof HTMLSelectElement && field.value !== value) field.selectedIndex = 0;
}

/** @param {import("./ask_labs.js").Lab} lab */
function guesses(lab) {
  const radios = lab.guesses.map((text, at) => {
    const radio = el("input", { type: "radio", name: "guess", value: `${at + 1}`, onchange: () => go({ guess: at + 1 }, { replace: true }) });
    return el("label", {}, radio, text);
  });
  return el("fieldset", { id: "lab-guesses" }, el("legend", {}, t("labs.guess")), ...radios);
}

/** @param {import("./ask_labs.js").Labs} labs */
function dataChoice({ own }) {
  const select = el("select", { id: "lab-data", onchange: () => go({ data: select.value }, { replace: true }) });
  select.append(el("option", { value: "digits" }, t(own.why === "digits" ? "labs.digits.own" : "labs.digits")));
  if (!own.why) select.append(el("option", { value: "own" }, t("labs.own", { name: own.name })));
  return labelled(t("labs.data"), select);
}

/** Why there is no choice of data, in words. @param {import("./ask_labs.js").OwnData} own */
function why({ why: reason, name }) {
  if (reason === "options") return [t("labs.own.options", { name })];
  return reason === "handed" ? [t("labs.own.handed", { name })] : [];
}

/** @param {import("./ask_labs.js").Labs} labs */
function seedsInput({ most_seeds: most }) {
  const input = el("input", { id: "lab-seeds", type: "number", min: 1, max: most, value: SEEDS, required: true });
  input.onchange = () => go({ seeds: input.value.trim() || null }, { replace: true });
  return labelled(t("labs.seeds"), input);
}

function timeChoice() {
  const select = el("select", { id: "lab-time", onchange: () => go({ time: select.value || null }, { replace: true }) });
  const text = (/** @type {string} */ time) => t(time.endsWith("s") ? "labs.time.seconds" : "labs.time.minutes", { count: parseInt(time, 10) });
  select.append(el("option", { value: "" }, t("labs.time.any")), ...TIMES.map((time) => el("option", { value: time }, text(time))));
  return labelled(t("labs.time"), select);
}

/** The outcomes that are kept: closed, because a guess comes first. @param {import("./ask_labs.js").Kept[]} outcomes */
function kept(outcomes) {
  const box = byId("lab-kept");
  box.hidden = !outcomes.length;
  box.querySelector("summary").textContent = t("labs.kept", { count: outcomes.length });
  const link = (/** @type {import("./ask_labs.js").Kept} */ { result, data, seeds }) =>
    el("a", { href: addressOf({ result }), "aria-current": `${place().result === result}` }, t("labs.kept.one", { result, data, seeds }));
  box.querySelector("ul").replaceChildren(...outcomes.map((each) => el("li", {}, link(each))));
}

/** @param {import("./ask_labs.js").Lab} lab @param {import("./ask_labs.js").Labs} labs */
async function run(lab, labs) {
  const value = (/** @type {string} */ id) => /** @type {HTMLInputElement | null} */ (byId(id))?.value.trim() ?? "";
  const guess = /** @type {HTMLInputElement | null} */ (byId("labs").querySelector('input[name="guess"]:checked'));
  if (!guess) return refuse(t("labs.no-guess"), byId("labs").querySelector('input[name="guess"]'));
  const seeds = lab.exact ? `${SEEDS}` : value("lab-seeds");
  if (!/^\d{1,6}$/.test(seeds) || Number(seeds) < 1 || Number(seeds) > labs.most_seeds) {
    return refuse(t("labs.no-seeds", { most: labs.most_seeds }), byId("lab-seeds"));
  }
  say(byId("lab-trouble"));
  const asked = { lab: lab.name, guess: Number(guess.value), data: value("lab-data"), seeds: Number(seeds), time: value("lab-time") || null, model: modelChosen(), lang: language() };
  let begun = false;
  try {
    await startLab(asked);
    if (place().result) go({ result: null }, { replace: true });
    tell(t("labs.begun"));
    begun = true;
  } catch (error) {
    const other = await fetchWork().catch(() => null);
    const busy = other && ["running", "stopping"].includes(other.state);
    const running = labs.labs.find(({ name }) => name === other?.asked?.lab);
    say(byId("lab-trouble"), busy ? t("labs.busy", { question: running?.question ?? "" }) : error.message);
  }
  await watchAgain().catch((error) => say(byId("lab-trouble"), error.message));
  if (begun) byId("lab-running").scrollIntoView({ block: "nearest" });
}

/** @param {string} words @param {HTMLElement | null} field - that is to be filled in */
function refuse(words, field) {
  say(byId("lab-trouble"), words);
  field?.focus();
}

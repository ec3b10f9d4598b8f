/** LABS: open questions of a course, each answered by an experiment: a guess first, then the numbers. */

import { fetchLabs } from "./ask_labs.js";
import { el } from "./dom.js";
import { byId, say } from "./elements.js";
import { buildForm, fillForm } from "./labs_form.js";
import { buildList } from "./labs_list.js";
import { showOutcome } from "./labs_outcome.js";
import { follow } from "./labs_progress.js";
import { addressOf, go, place } from "./state.js";
import { language, t } from "./words.js";

const OWN_PLACE = ["lab", "guess", "data", "seeds", "time", "model", "result"]; // what the address keeps of a lab
/** @type {import("./ask_labs.js").Labs | null} */
let labs = null;
let asked = ""; // the language that they were asked for in
let isNew = false; // whether the outcome that is to be shown has just come
let built = ""; // the lab and the language that the page was built for

/** @param {import("./ask.js").Network} _network @param {any} now */
export async function show(_network, now) {
  if (!labs || asked !== language()) await load();
  if (place() !== now) return; // she went on meanwhile
  const lab = labs.labs.find(({ name }) => name === now.lab);
  const key = `${lab?.name ?? ""} ${language()}`;
  if (key !== built || !byId("labs").children.length) {
    const isStep = built.endsWith(` ${language()}`); // from the list to a lab, or back
    built = key;
    byId("labs").replaceChildren(...(lab ? page(lab) : list()));
    if (isStep) byId(lab ? "lab-title" : "labs-title").focus();
  }
  if (lab) {
    fillForm(lab, labs);
    const comes = isNew;
    isNew = false;
    await showOutcome(lab, now, { isNew: comes });
  } else {
    say(byId("labs-trouble"), now.lab ? t("labs.no-lab", { name: now.lab }) : "");
  }
  await follow(labs.labs, lab, ended);
}

/** Asks for the labs again: outcomes may have come. @returns {Promise<import("./ask_labs.js").Labs>} */
async function load() {
  asked = language();
  labs = await fetchLabs(asked);
  return labs;
}

/** What was followed is over. @param {import("./ask_labs.js").Work} work */
async function ended(work) {
  await load();
  const lab = labs.labs.find(({ name }) => name === work.asked.lab);
  if (!work.result || !lab || place().screen !== "labs" || place().lab !== lab.name) return;
  if (place().result === work.result) {
    fillForm(lab, labs);
    await showOutcome(lab, place(), { isNew: true });
  } else {
    isNew = true;
    go({ result: work.result }, { replace: true });
  }
}

function list() {
  return [
    el("p", { className: "intro soft" }, t("labs.intro")),
    el("p", { id: "labs-trouble", className: "error", role: "alert", hidden: true }),
    el("section", { id: "lab-running", "aria-labelledby": "lab-running-title", hidden: true }),
    buildList(labs.labs),
  ];
}

/** @param {import("./ask_labs.js").Lab} lab */
function page(lab) {
  const none = Object.fromEntries(OWN_PLACE.map((name) => [name, null]));
  return [
    el("p", { className: "intro" }, el("a", { href: addressOf({ ...none, screen: "labs" }) }, t("labs.all"))),
    buildForm(lab, labs),
    el("section", { id: "lab-running", "aria-labelledby": "lab-running-title", hidden: true }),
    el("section", { id: "lab-outcome", "aria-labelledby": "lab-outcome-title", hidden: true }),
  ];
}

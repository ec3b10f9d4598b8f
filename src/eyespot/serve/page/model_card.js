/** The model at the top of the page: its name, how good it is, what it knows. */

import { byId, say } from "./elements.js";
import { taskOf } from "./tasks.js";

/** @param {import("./api.js").Model} model */
export function showModel(model) {
  const task = taskOf(model);
  document.title = `${model.name} – eyespot`;
  byId("model-name").textContent = model.name;
  byId("network").textContent = task.network(model);
  byId("looks-at").textContent = task.looksAt(model);
  byId("about").textContent = `eyespot ${model.version}, model ${model.fingerprint}`;
  showFigure(task.figure(model), task.unmeasured);
  showClasses(model.classes);
}

/** @param {import("./tasks.js").Figure | null} figure @param {string} unmeasured */
function showFigure(figure, unmeasured) {
  const interval = byId("interval");
  interval.hidden = !figure;
  say(byId("accuracy"), figure?.text);
  byId("measured").textContent = figure?.sentence ?? unmeasured;
  for (const key of ["at", "low", "high"]) interval.style.setProperty(`--${key}`, `${figure?.[key] ?? 0}`);
}

/** @param {string[]} classes */
function showClasses(classes) {
  byId("classes-term").textContent = classes.length === 1 ? "1 class" : `${classes.length} classes`;
  const list = byId("classes");
  list.replaceChildren(
    ...classes.map((name) => {
      const chip = document.createElement("li");
      chip.textContent = name;
      return chip;
    }),
  );
  requestAnimationFrame(() => {
    if (list.scrollHeight > list.clientHeight) list.tabIndex = 0; // so that keys can scroll it
  });
}

/** The model at the top of the page: its name, how often it is right, what it knows. */

import { byId, percent, say } from "./elements.js";

/** @type {Record<string, string>} */
const TRAINED = {
  frozen: "of which the head was trained",
  partial: "of which the last stages were trained",
  full: "all of which was trained",
  scratch: "trained from scratch",
};

/** @param {import("./api.js").Model} model */
export function showModel(model) {
  document.title = `${model.name} – eyespot`;
  byId("model-name").textContent = model.name;
  byId("network").textContent = `${model.network}, ${TRAINED[model.regime] ?? model.regime}`;
  byId("looks-at").textContent = `images of ${model.side} × ${model.side} pixels, ${model.color === "gray" ? "gray" : "in color"}`;
  byId("about").textContent = `eyespot ${model.version}, model ${model.fingerprint}`;
  showAccuracy(model.measured);
  showClasses(model.classes);
}

/** @param {import("./api.js").Measured | null} metric */
function showAccuracy(metric) {
  const interval = byId("interval");
  interval.hidden = !metric;
  say(byId("accuracy"), metric ? percent(metric.accuracy) : "");
  byId("measured").textContent = metric ? measured(metric) : "How often it is right was not measured on pictures held back.";
  for (const key of ["accuracy", "low", "high"]) interval.style.setProperty(`--${key}`, `${metric?.[key] ?? 0}`);
}

/** @param {import("./api.js").Measured} metric */
function measured({ low, high, sentence }) {
  return `${sentence} 95\u00a0% interval: ${percent(low)} to ${percent(high)}.`;
}

/** @param {string[]} classes */
function showClasses(classes) {
  byId("classes-term").textContent = `${classes.length} classes`;
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

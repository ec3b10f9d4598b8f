/** The open run answers what the camera sees, again and again; beside it, how good the run is on pictures it had not seen. */

import { sendPicture } from "./ask.js";
import { showBars } from "./bars.js";
import { isCameraOpen, openCamera, shot, whenCamera } from "./collect_camera.js";
import { button, el } from "./dom.js";
import { byId, percent, say, tell } from "./elements.js";
import { figure } from "./runs.js";
import { addressOf, place } from "./state.js";
import { t } from "./words.js";

const EVERY_MILLISECONDS = 300;
const MOST_BARS = 10;

/** @param {import("./ask.js").Network} network @param {import("./ask_collect.js").Run} run @returns {Node[]} */
export function livePanel(network, run) {
  const bars = el("ol", { id: "live-bars", className: "bars", "aria-label": t("answer.title") });
  const trouble = el("p", { className: "error", role: "alert", hidden: true });
  const unlike = el("p", { className: "small", hidden: true });
  const mirror = el("video", { muted: true, autoplay: true, playsInline: true, hidden: true, "aria-label": t("camera.view") });
  const start = button(t("live.start"), () => begin(), { id: "live-start", className: "main" });
  const stop = button(t("live.stop"), () => (on = false), { id: "live-stop", hidden: true });
  let on = false;

  const begin = async () => {
    say(trouble);
    try {
      await openCamera();
      mirror.srcObject = byId("collect").querySelector(".camera-panel video").srcObject;
      on = true;
      turn();
      await mirror.play();
      await answerOn();
    } catch (error) {
      say(trouble, error.message);
    }
    on = false;
    turn();
  };
  const turn = () => {
    const [gone, come] = on ? [start, stop] : [stop, start];
    const hadFocus = document.activeElement === gone;
    [mirror.hidden, come.hidden, gone.hidden] = [!on, false, true];
    if (hadFocus) come.focus();
  };
  const answerOn = async () => {
    for (let told = ""; on && isCameraOpen() && bars.isConnected; ) {
      const begun = performance.now();
      const { probabilities, known } = await sendPicture(await shot());
      if (!on) return;
      const best = shown(bars, network.classes, probabilities);
      say(unlike, known === false ? t("answer.unlike") : "");
      if (best.class !== told) tell(t("answer.told", { class: best.class, share: percent(best.probability) }));
      told = best.class;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MILLISECONDS - (performance.now() - begun))));
    }
  };
  whenCamera((isOpen) => {
    if (!isOpen) on = false;
  });
  if (place().try) setTimeout(() => { // once it is on the page
    start.focus();
    start.closest("section").scrollIntoView();
    begin();
  });
  const links = [["network", "live.look"], ["errors", "live.errors"]].map(([screen, key]) => el("a", { href: addressOf({ screen, set: null, try: null }) }, t(key)));
  return [
    el("p", { id: "live-figure" }, el("strong", {}, run.name), `: ${figure(run)}`),
    el("p", { className: "small soft" }, t("live.honest")),
    el("p", { className: "row" }, start, stop),
    trouble,
    el("div", { className: "live" }, mirror, el("div", {}, bars, unlike)),
    el("p", { className: "row" }, ...links),
  ];
}

/** @param {HTMLElement} bars @param {string[]} classes @param {number[]} probabilities @returns the surest */
function shown(bars, classes, probabilities) {
  const all = classes.map((name, at) => ({ class: name, probability: probabilities[at] }));
  const best = [...all].sort((one, other) => other.probability - one.probability);
  showBars(bars, all.length > MOST_BARS ? best.slice(0, MOST_BARS) : all);
  return best[0];
}

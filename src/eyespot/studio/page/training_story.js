/** What is known of a run's training, message by message, and its curves. */

/**
 * @typedef {object} Story
 * @property {"asked" | "none" | "running" | "ended"} state
 * @property {boolean} isLost - the server cannot be reached just now
 * @property {import("./ask_training.js").Line[]} lines
 * @property {import("./ask_training.js").End | null} end
 *
 * @typedef {object} Training - one of the run, or the head's cross-validation
 * @property {string} name - its regime, by which the address names it
 * @property {boolean} isCrossValidation - then a step is an L2 that was tried
 * @property {import("./ask_training.js").Line[]} steps - by their number
 * @property {import("./ask_training.js").Line[]} epochs - those that ended an epoch, or tried an L2
 */

/** @returns {Story} */
export const nothingYet = () => ({ state: "asked", isLost: false, lines: [], end: null });

/** @param {Story} story @param {import("./ask_training.js").Message} message @returns {Story} */
export function heard(story, message) {
  if (message.kind === "lost") return { ...story, isLost: true };
  if (message.kind === "none") return { ...nothingYet(), state: "none" };
  if (message.kind === "run") return { ...nothingYet(), state: "running" };
  if (message.kind === "end") return { ...story, state: "ended", end: message };
  return { ...story, lines: [...story.lines, ...message.lines] };
}

/** Those with a drawing, in the order in which they began. @param {Story} story @returns {Training[]} */
export function trainingsOf({ lines }) {
  /** @type {Map<string, Training>} */
  const found = new Map();
  for (const line of lines) {
    const isCrossValidation = line.phase === "cross-validation";
    if (line.step === null || line.regime === null || !(isCrossValidation || line.phase === "training")) continue;
    const training = found.get(line.regime) ?? { name: line.regime, isCrossValidation, steps: [], epochs: [] };
    found.set(line.regime, training);
    training.steps.push(line);
    if (isCrossValidation || line.epoch !== null) training.epochs.push(line);
  }
  for (const { steps, epochs } of found.values()) for (const each of [steps, epochs]) each.sort((a, b) => a.step - b.step);
  return [...found.values()];
}

/** The rungs that were tried: those of the result, which has them all, else those told so far. @param {Story} story */
export function rungsOf({ lines, end }) {
  return end?.rungs.length ? end.rungs : lines.flatMap(({ rung }) => (rung ? [rung] : []));
}

/** The last epoch of which all is known. @param {Training} training */
export const lastEpoch = ({ epochs }) => epochs[epochs.length - 1];

/** The epoch whose weights answer, of the training that the model comes from. @param {Story} story @param {Training} training */
export function keptEpoch({ end }, training) {
  const isOfModel = end && end.kept !== null && end.regime === training.name && !training.isCrossValidation;
  return isOfModel ? training.epochs.find(({ epoch }) => epoch === end.kept) : undefined;
}

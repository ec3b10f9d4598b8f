/** What the graph gives, as the answer that the page shows: the words of `POST /predict`. */

import { heatMap } from "./heat.js";

const NO_ANSWER = "The picture has no answer: what the model computes from it is no number.";

/**
 * @param {Record<string, any>} outputs @param {import("./pixels.js").Seen} seen
 * @param {any} model - what `model.json` says @param {any} options - as `POST /predict` takes them
 */
export async function answerTo(outputs, seen, model, options) {
  const { picture } = seen;
  const found = model.task === "detection" ? detected(outputs, seen, model, options) : await classified(outputs, seen, model, options);
  return { ...picture, fingerprint: model.fingerprint, ...found };
}

/** @param {Record<string, any>} outputs @param {import("./pixels.js").Seen} seen @param {any} model @param {any} options */
async function classified({ probabilities, likeness, heat }, seen, model, options) {
  const shares = numbers(probabilities);
  const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a] || a - b);
  const predictions = order.map((place) => ({ class: model.classes[place], probability: Math.min(1, shares[place]) }));
  const like = likeness && numbers(likeness)[0];
  const known = like === undefined || model.least_likeness === null ? null : like >= model.least_likeness;
  const answer = { predictions: predictions.slice(0, options.topk), known };
  if (!heat || !options.heat_map) return answer;
  return { ...answer, heat_map: await heatMap(heat, { class: predictions[0].class, seen, model }) };
}

/** @param {Record<string, any>} outputs @param {import("./pixels.js").Seen} seen @param {any} model @param {any} options */
function detected({ boxes, scores, labels }, { width, height, picture }, model, options) {
  const [across, down] = [picture.width / width, picture.height / height];
  const sides = numbers(boxes);
  const within = (/** @type {number} */ at) =>
    Math.min(at % 2 ? picture.height : picture.width, Math.max(0, sides[at] * (at % 2 ? down : across)));
  const found = numbers(scores).map((probability, place) => ({
    class: model.classes[Number(labels.data[place])],
    probability: Math.min(1, probability),
    xyxy: [0, 1, 2, 3].map((side) => within(4 * place + side)),
  }));
  return { detections: found.filter((each) => each.probability >= options.threshold) };
}

/** @param {{data: Float32Array}} tensor @returns {number[]} */
function numbers({ data }) {
  if (!data.every(Number.isFinite)) throw new Error(NO_ANSWER);
  return [...data];
}

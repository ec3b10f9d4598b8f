/** A picture on its card, upright as the model sees it, and the heat map over it. */

const ALL = 0.99; // of a picture: a heat map over so much of it leaves nothing out
const SMALL_SIDE = 96; // up to so many pixels, a picture is shown with its pixels as squares

/** @param {HTMLElement} card @param {Blob} picture @param {string} name */
export function showPicture(card, picture, name) {
  const image = /** @type {HTMLImageElement} */ (card.querySelector(".picture"));
  image.alt = name;
  image.onload = () => fit(card, image.naturalWidth, image.naturalHeight);
  image.onerror = () => {
    image.hidden = true;
    card.classList.add("unshowable");
  };
  image.src = URL.createObjectURL(picture);
}

/** @param {HTMLElement} card @param {import("./api.js").HeatMap} heatMap */
export function layHeatMap(card, heatMap) {
  const heat = /** @type {HTMLImageElement} */ (card.querySelector(".heat"));
  const button = heatSwitch(card);
  const sentence = /** @type {HTMLElement} */ (card.querySelector(".heat-sentence"));
  const [left, top, width, height] = heatMap.window;
  for (const [side, share] of Object.entries({ left, top, width, height })) heat.style[side] = `${100 * share}%`;
  heat.src = `data:image/png;base64,${heatMap.png}`;
  const unseen = width * height < ALL ? " The network saw only what lies under it." : "";
  sentence.textContent = `Heat map for ${heatMap.class}, by ${heatMap.method}. ${heatMap.sentence}${unseen}`;
  button.disabled = false;
  const show = (/** @type {boolean} */ shown) => {
    heat.hidden = sentence.hidden = !shown;
    button.setAttribute("aria-pressed", `${shown}`);
  };
  button.onclick = () => show(heat.hidden);
  show(true);
}

/** @param {HTMLElement} card @returns {HTMLButtonElement} */
function heatSwitch(card) {
  return card.querySelector(".heat-switch");
}

/**
 * Give the picture's place its shape.
 * @param {HTMLElement} card @param {number} width @param {number} height - of the upright picture
 */
export function fit(card, width, height) {
  const fitted = /** @type {HTMLElement} */ (card.querySelector(".fitted"));
  card.style.setProperty("--ratio", `${width / height}`);
  fitted.classList.toggle("small", Math.max(width, height) <= SMALL_SIDE);
}

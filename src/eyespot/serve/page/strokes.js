/**
 * Lines that are drawn with mouse, finger or pen, and how they look on a canvas.
 *
 * @typedef {[number, number]} Point - across and down; of a stroke, as fractions of the drawing area's side
 * @typedef {Point[]} Stroke
 * @typedef {{ink: string, ground: string}} Colours - white and black, or black and white
 * @typedef {(point: Point) => Point} Placing - from a stroke's point to a canvas's pixels
 */

/**
 * Draw strokes, smoothed, with round ends.
 * @param {HTMLCanvasElement} canvas
 * @param {Stroke[]} strokes
 * @param {{width: number, place: Placing, colours: Colours}} how - width of the lines in pixels
 */
export function drawStrokes(canvas, strokes, { width, place, colours }) {
  const context = canvas.getContext("2d");
  context.fillStyle = colours.ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  Object.assign(context, { strokeStyle: colours.ink, lineWidth: width, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) {
    context.beginPath();
    trace(context, stroke.map(place));
    context.stroke();
  }
}

/**
 * A line through the middles between the points, each of which pulls it.
 * @param {CanvasRenderingContext2D} context
 * @param {Point[]} points
 */
function trace(context, points) {
  context.moveTo(...points[0]);
  for (let i = 1; i < points.length - 1; i++) {
    const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  context.lineTo(...points.at(-1)); // a single point is a line to itself: a dot
}

/**
 * Collect what is drawn on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {Stroke[]} strokes - grows as one draws
 * @param {() => void} changed - called after every movement
 */
export function collectStrokes(canvas, strokes, changed) {
  /** @type {number | null} */
  let pen = null;
  canvas.onpointerdown = (event) => {
    if (pen !== null || event.button !== 0) return;
    event.preventDefault();
    pen = event.pointerId;
    canvas.setPointerCapture(pen);
    strokes.push([pointOf(event, canvas)]);
    changed();
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId !== pen || !strokes.length) return;
    const between = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1).push(...(between.length ? between : [event]).map((each) => pointOf(each, canvas)));
    changed();
  };
  canvas.onlostpointercapture = () => {
    pen = null;
  };
}

/** @param {PointerEvent} event @param {HTMLCanvasElement} canvas @returns {Point} */
function pointOf(event, canvas) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / height];
}

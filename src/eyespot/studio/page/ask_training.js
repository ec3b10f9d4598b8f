/**
 * What the server says of how the run went, while it is written.
 *
 * @typedef {{accuracy: number, low: number, high: number, n: number}} Metric
 * @typedef {{regime: string, trained: string, seconds: number, validation: Metric | null, verdict: string, kept: boolean}} Rung
 * @typedef {object} Line - of the run's events; null is what it does not say
 * @property {string} phase
 * @property {string | null} regime
 * @property {number | null} step
 * @property {number | null} epoch
 * @property {number | null} loss
 * @property {number | null} validation_loss
 * @property {number | null} accuracy
 * @property {[number, number, number] | null} interval - of the accuracy: low, high, and of how many pictures
 * @property {Rung | null} rung
 *
 * @typedef {{state: "done" | "stopped" | "broken", has_model: boolean, regime: string | null, rungs: Rung[], kept: number | null}} End
 * @typedef {{kind: "none"} | {kind: "lost"} | {kind: "run", name: string, is_running: boolean}
 *   | {kind: "lines", lines: Line[]} | ({kind: "end"} & End)} Message
 */

import { addressOn, lookWhatIsOpen } from "./ask.js";

/**
 * Hear what the run has written, and what it writes, until it has ended. Where the server goes away, the browser asks
 * again by itself, and all is told anew.
 * @param {(message: Message) => void} told @returns {() => void} stops it
 */
export function follow(told) {
  const source = new EventSource(addressOn("history", {}));
  source.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.kind === "end" || message.kind === "none") source.close();
    told(message);
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) lookWhatIsOpen(); // it was refused
    else told({ kind: "lost" });
  };
  return () => source.close();
}

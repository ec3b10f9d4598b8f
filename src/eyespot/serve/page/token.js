/** The token that a server beyond this machine asks for: kept in this tab alone, asked for in the page. */

import { byId } from "./elements.js";

const KEY = "eyespot token";
const SENDABLE = /^[\x20-\x7e]+$/; // browsers send no other letters in a header, and servers have no other tokens
/** @type {Promise<void> | null} */
let asking = null;

takeFromAddress();

/** @returns {string | null} the token that was given last */
export function token() {
  return sessionStorage.getItem(KEY);
}

/** @returns {Promise<void>} done when a person has given a token; all who ask meanwhile wait for the same one */
export function askForToken() {
  asking ??= ask().finally(() => (asking = null));
  return asking;
}

/** The token that a shared address has behind its #: kept, and taken out of sight, so that nobody copies it along. */
function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given || !SENDABLE.test(given)) return;
  sessionStorage.setItem(KEY, given);
  history.replaceState(null, "", location.pathname + location.search);
}

/** @returns {Promise<void>} */
function ask() {
  const section = byId("ask-token");
  const field = /** @type {HTMLInputElement} */ (byId("token"));
  if (token()) sayRefused();
  section.hidden = false;
  field.focus();
  return new Promise((resolve) => {
    section.querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      const given = field.value.trim();
      field.value = "";
      if (!SENDABLE.test(given)) {
        sayRefused();
        return;
      }
      sessionStorage.setItem(KEY, given);
      section.hidden = true;
      resolve();
    };
  });
}

function sayRefused() {
  byId("token-hint").textContent = "The server did not accept that token. Compare it with the one it was started with.";
}

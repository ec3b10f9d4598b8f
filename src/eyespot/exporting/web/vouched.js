/** Whether files are what was exported, by the hashes that they carry. */

const NO_HASH_YET = "a381ac2ec343d23a3ad29539409e7b4f490dde07bcefc43a231ecfcc36aadb93"; // what a file is hashed with in place of its hash

/**
 * @param {Uint8Array} content
 * @returns {Promise<string | null>} its SHA-256; null where the page came neither over https nor from this machine: there
 * browsers hash nothing
 */
export async function hashOf(content) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text - of JSON @returns {Promise<any>} what it says; null where it is not what was exported */
export async function vouchedFor(text) {
  const said = JSON.parse(text);
  const hash = await hashOf(new TextEncoder().encode(text.replace(said.file_sha256, NO_HASH_YET)));
  return hash && hash !== said.file_sha256 ? null : said;
}

/** The run's own pictures on the desk: a part, and its pictures a page at a time, mistakes first. */

import { fetchOwn, fetchOwnPictures } from "./ask_errors.js";
import { button, el } from "./dom.js";
import { byId } from "./elements.js";
import { described, doubt, isMistake, looking, missing, partName, thumbnail } from "./own_picture.js";
import { addressOf, go, place } from "./state.js";
import { t } from "./words.js";

const PAGE = 24;
const SHORT = 4; // letters of two names that stand under a thumbnail
const AGAIN_MILLISECONDS = 500;
/** @type {import("./ask_errors.js").Own | undefined} */
let own;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let asking;
let drawn = ""; // what the list was built for

/**
 * Puts the first of the run's pictures on the desk, now or as soon as it is found.
 * @param {import("./ask.js").Network} network @returns {Promise<boolean>} whether it did so now
 */
export async function beginWithOwn(network) {
  if (!network.is_run) return false;
  await look(network).catch(() => {}); // told where the pictures are offered
  if (!own?.first || place().picture || (place().screen ?? "network") !== "network") return false;
  go({ picture: own.first }, { replace: true });
  return true;
}

/** @param {import("./ask.js").Network} network */
export async function showOwn(network) {
  const box = /** @type {HTMLDetailsElement} */ (byId("own"));
  box.hidden = !network.is_run;
  if (box.hidden) return;
  box.open = place().first !== undefined;
  box.ontoggle = () => {
    if (box.open && place().first === undefined) go({ first: 0 }, { replace: true });
    else if (!box.open && place().first !== undefined) go({ first: null, part: null }, { replace: true });
  };
  try {
    await look(network);
    if (box.open) await fill(network);
  } catch (error) {
    drawn = "";
    byId("own-pictures").replaceChildren(el("p", { className: "error", role: "alert" }, error.message));
  }
}

/** Asks how far the search is; again, while it goes on. @param {import("./ask.js").Network} network */
async function look(network) {
  if (own && own.state !== "looking") return;
  own = await fetchOwn();
  clearTimeout(asking);
  if (own.state !== "looking") return;
  asking = setTimeout(async () => {
    await beginWithOwn(network);
    await showOwn(network);
  }, AGAIN_MILLISECONDS);
}

/** @param {import("./ask.js").Network} network */
async function fill(network) {
  const holder = byId("own-pictures");
  if (own.state !== "found") {
    const said = own.state === "looking" ? looking(own) : missing(own);
    holder.replaceChildren(el("p", { className: "small", role: "status" }, said));
    return;
  }
  const { part, first } = chosen();
  const key = `${part} ${first} ${document.documentElement.lang}`;
  if (key !== drawn) {
    const { of, pictures } = await fetchOwnPictures(part, first);
    if (key !== `${chosen().part} ${chosen().first} ${document.documentElement.lang}`) return;
    drawn = key;
    const focused = holder.contains(document.activeElement) ? document.activeElement.id : "";
    holder.replaceChildren(parts(part), list(pictures, network), pages(first, of), ...gone(part));
    if (focused) refocus(focused);
  }
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (holder.querySelectorAll("a"))) {
    link.href = addressOf({ picture: link.dataset.picture });
    link.setAttribute("aria-current", `${link.dataset.picture === place().picture}`);
  }
}

/** The part and the first picture that the address names, or those that come nearest. */
function chosen() {
  const named = own.parts.find(({ part }) => part === place().part) ?? own.parts[0];
  const first = Math.floor(Number(place().first) / PAGE) * PAGE;
  const last = Math.floor((named.count - 1) / PAGE) * PAGE;
  return { part: named.part, first: Number.isFinite(first) ? Math.max(0, Math.min(last, first)) : 0 };
}

/** @param {import("./ask_errors.js").Part} part */
function parts(part) {
  const select = el("select", { id: "own-part", onchange: () => go({ part: select.value, first: 0 }, { replace: true }) });
  select.append(...own.parts.map((each) => el("option", { value: each.part, selected: each.part === part }, partName(each.part))));
  return el("p", { className: "row" }, el("label", { for: "own-part" }, t("own.part")), select);
}

/** @param {import("./ask_errors.js").OwnPicture[]} pictures @param {import("./ask.js").Network} network */
function list(pictures, network) {
  const { classes } = network;
  const items = pictures.map((picture) => {
    const name = classes[picture.truth] ?? "?";
    const said = isMistake(picture) ? mistaken(name, classes[picture.answer]) : name;
    const label = [said, picture.name, described(picture, classes), doubt(picture)].filter(Boolean).join(" · ");
    const link = el("a", { "aria-label": label, title: label, className: isMistake(picture) ? "mistake" : "" }, thumbnail(picture.picture, network), el("span", {}, said));
    link.dataset.picture = picture.picture;
    return el("li", {}, link);
  });
  return el("ul", { className: "own-strip", "aria-label": t("own.title") }, ...items);
}

/** @param {string} name @param {string} answer */
const mistaken = (name, answer) => (name.length + answer.length > SHORT ? `✗ ${name}` : `${name} → ${answer}`);

/** @param {number} first @param {number} of */
function pages(first, of) {
  const to = (/** @type {number} */ next) => () => go({ first: next }, { replace: true });
  return el(
    "p",
    { className: "row pages" },
    button("←", to(first - PAGE), { id: "own-before", disabled: first === 0, "aria-label": t("own.before") }),
    el("span", { className: "small", role: "status" }, t("own.shown", { first: first + 1, last: Math.min(of, first + PAGE), of })),
    button("→", to(first + PAGE), { id: "own-next", disabled: first + PAGE >= of, "aria-label": t("own.next") }),
  );
}

/** How many pictures of the part are not there any more. @param {import("./ask_errors.js").Part} part */
function gone(part) {
  const count = own.parts.find((each) => each.part === part).missing;
  return count ? [el("p", { className: "small soft" }, t("own.gone", { count }))] : [];
}

/** @param {string} id - of what had the focus; at the end of the pages the other button gets it */
function refocus(id) {
  const wanted = /** @type {HTMLButtonElement} */ (byId(id));
  const other = { "own-before": "own-next", "own-next": "own-before" }[id] ?? id;
  (wanted?.disabled ? byId(other) : wanted)?.focus();
}

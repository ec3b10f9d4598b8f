/** The sum behind a number, in a line. */

import { written } from "./colors.js";
import { t } from "./words.js";

/** The whole sum in a line. @param {import("./ask.js").Cell} cell @returns {string[]} */
export function sum(cell) {
  const { constants, kind, parts: each, rest } = cell;
  const total = `= ${written(cell.sum)}`;
  const said = Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, written(value)]));
  if (kind === "products") {
    const terms = each.map((part) => written(part.sum));
    if (rest) terms.push(t("value.rest", { count: rest.count, sum: written(rest.sum) }));
    if ("bias" in constants) terms.push(`${said.bias} (${t("value.bias")})`);
    return [`${terms.join(" + ").replaceAll("+ −", "− ")} ${total}`];
  }
  const x = each.length ? written(each[0].sum) : "";
  if (kind === "batch norm")
    return [`(${x} − ${said.mean}) / √(${said.variance} + ${said.eps})${said.weight ? ` × ${said.weight}` : ""}${said.bias ? ` + ${said.bias}` : ""} ${total}`];
  if (kind === "local norm") return [`${said.x} / (${said.k} + ${said.alpha} / ${said.size} × Σ x²)^${said.beta} ${total}`];
  if (kind === "mean") return [`${x} / ${constants.count} ${total}`];
  if (kind === "sum") return [`${x} + ${said.scale ? `${said.scale} × ` : ""}${written(each[1].sum)} ${total}`];
  return [total];
}

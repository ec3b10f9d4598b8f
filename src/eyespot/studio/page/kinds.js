/** What kind of layer it is, in words. */

import { said } from "./said.js";
import { t } from "./words.js";

const KNOWN = ["image", "conv", "depthwise conv", "fully connected", "max pool", "average pool", "batch norm", "local norm", "flatten", "dropout", "padding", "sum", "concatenation", "pick channels"];

/** @param {import("./ask.js").Layer} layer @returns {string} the name of its class, as ReLU, where there is no word for it */
export const kindOf = ({ kind }) => (KNOWN.includes(kind) ? t(`kind.${kind}`) : said(kind));

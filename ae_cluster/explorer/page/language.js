// @ts-check
/** The page's language, and its words in it. Knows nothing of elements. */

import { WORDS, WRITTEN } from "./words.js";

/**
 * @typedef {keyof typeof WORDS} Key
 * @typedef {"en" | "zh"} Language
 */

/** @type {Language[]} */
export const LANGUAGES = ["en", "zh"];
/** @type {Record<Language, string>} as BCP 47 names them */
export const TAGS = { en: "en", zh: "zh-CN" };
export const spoken = { language: /** @type {Language} */ ("en") };

/**
 * What a key stands for in the page's language.
 * @param {Key} key
 * @param {Record<string, string | number>} [values] in place of {name}
 */
export function say(key, values = {}) {
  return filled(WORDS[key][spoken.language], values);
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
}

/**
 * Whether a text is what a key stands for, in any language.
 * @param {Key} key
 * @param {string} text
 */
export function means(key, text) {
  return Object.values(WORDS[key]).includes(text);
}

/** @type {Map<string, string>} */
const inChinese = new Map();

/**
 * What Python wrote into the page, in the page's language; what is not known stays as it is.
 * @param {string} written in English
 */
export function translated(written) {
  if (spoken.language === "en") return written;
  const known = inChinese.get(written) ?? inLanguage(written, spoken.language);
  inChinese.set(written, known);
  return known;
}

/**
 * @param {string} written
 * @param {Language} language
 */
function inLanguage(written, language) {
  for (const words of WRITTEN) {
    const match = patternOf(words.en).exec(written);
    if (match) return filled(words[language], match.groups ?? {});
  }
  return written;
}

/** @param {string} template */
function patternOf(template) {
  const plain = template.replace(/[.*+?^$|()[\]\\]/g, "\\$&");
  return new RegExp(`^${plain.replace(/\{(\w+)\}/g, "(?<$1>[^ ]+)")}$`);
}

/**
 * The language to begin with: the first of those wanted that the page has, else English.
 * @param {readonly string[]} wanted by the browser, BCP 47
 * @param {string | null} chosen in the page before
 * @returns {Language}
 */
export function firstLanguage(wanted, chosen) {
  const tags = [chosen ?? "", ...wanted].map((tag) => tag.toLowerCase().split("-")[0]);
  return LANGUAGES.find((language) => language === tags.find((tag) => tag === "en" || tag === "zh")) ?? "en";
}

// @ts-check
/** The words that stand in index.html, and the switch between languages. */

import { byId, element } from "./dom.js";
import { LANGUAGES, TAGS, firstLanguage, say } from "./language.js";
import { WORDS } from "./words.js";

/**
 * @typedef {import("./language.js").Key} Key
 * @typedef {import("./language.js").Language} Language
 */

const KEPT = "ae_cluster language"; // in the browser's storage
const ATTRIBUTES = ["aria-label", "placeholder"];

/** @param {import("./state.js").Explorer} explorer */
export function listenToLanguage(explorer) {
  const buttons = LANGUAGES.map((language) => {
    const click = () => {
      keep(language);
      explorer.setLanguage(language);
    };
    const name = WORDS.language_name[language];
    const made = element("button", { type: "button", lang: TAGS[language], click }, name);
    return { language, made };
  });
  byId("languages").append(...buttons.map(({ made }) => made));
  const write = sentencesHere();
  explorer.setLanguage(firstLanguage(navigator.languages, kept()));
  explorer.whenever(["language"], () => {
    document.documentElement.lang = TAGS[explorer.language];
    write();
    for (const { language, made } of buttons) {
      made.setAttribute("aria-pressed", String(language === explorer.language));
    }
  });
}

/** What writes the words of index.html anew: data-say is the key of an element's text. */
function sentencesHere() {
  const texts = [...document.querySelectorAll("[data-say]")].map((place) => ({
    place,
    key: /** @type {Key} */ (place.getAttribute("data-say")),
    inside: [...place.children],
  }));
  const attributes = ATTRIBUTES.flatMap((name) =>
    [...document.querySelectorAll(`[data-${name}]`)].map((place) => ({
      place,
      name,
      key: /** @type {Key} */ (place.getAttribute(`data-${name}`)),
    })),
  );
  return () => {
    for (const { place, key, inside } of texts) {
      const parts = say(key).split(/\{(\d)\}/);
      place.replaceChildren(...parts.map((part, i) => (i % 2 ? inside[Number(part)] : part)));
    }
    for (const { place, name, key } of attributes) place.setAttribute(name, say(key));
  };
}

/** @returns {string | null} */
function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // the browser forbids the page to keep anything
  }
}

/** @param {Language} language */
function keep(language) {
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // As it is with labels, only not worth a sentence: the next visit begins as this one did.
  }
}

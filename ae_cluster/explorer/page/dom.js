// @ts-check
/** Elements of the page. Text only ever becomes text nodes, so it can never become markup. */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean | EventListener>} [attributes] a function is a listener,
 *   true is an attribute without a value, false is none
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/**
 * The element of index.html with this id.
 * @param {string} id
 */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id */
export const canvasById = (id) => /** @type {HTMLCanvasElement} */ (byId(id));
/** @param {string} id */
export const inputById = (id) => /** @type {HTMLInputElement} */ (byId(id));
/** @param {string} id */
export const selectById = (id) => /** @type {HTMLSelectElement} */ (byId(id));

/** @param {HTMLCanvasElement} canvas */
export function inkOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/** @param {string} color */
export function swatch(color) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  made.style.background = color;
  return made;
}

/**
 * Fill a choice with words; the values are their numbers.
 * @param {HTMLSelectElement} select
 * @param {string[]} words
 */
export function fillSelect(select, words) {
  select.replaceChildren(...words.map((word, i) => element("option", { value: String(i) }, word)));
}

/**
 * Fill a choice with the same choices in other words; what is chosen stays.
 * @param {HTMLSelectElement} select
 * @param {string[]} words
 */
export function refillSelect(select, words) {
  const { value } = select;
  fillSelect(select, words);
  select.value = value;
}

/** @param {string} name of a CSS variable */
export function styleValue(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Whether things that move by themselves are unwelcome. */
export const wantsStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Give something to be saved as a file.
 * @param {string | Blob} content text is a CSV
 * @param {string} name
 */
export function saveAs(content, name) {
  const blob = typeof content === "string" ? new Blob([content], { type: "text/csv" }) : content;
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000); // some browsers read it only now
}

const NUMBERS = new Intl.NumberFormat("en-US");

/** @param {number} value */
export function grouped(value) {
  return NUMBERS.format(value);
}

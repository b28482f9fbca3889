// @ts-check
/** Samples in a row of small pictures or of names; a click keeps one. */

import { element } from "./dom.js";
import { say } from "./language.js";
import { shortened } from "./text.js";

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./pictures.js").Pictures} Pictures
 */

/**
 * A button that keeps a sample and points at it.
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {number} row
 */
export function sampleButton(explorer, pictures, row) {
  const id = explorer.cloud.ids[row];
  const isImage = !pictures.isTable && pictures.has(explorer.cloudNumber);
  const name = element("span", { class: "name" }, shortened(id, 28));
  const canvas = element("canvas", { class: "picture", "aria-hidden": "true", "data-row": String(row) });
  return element(
    "button",
    {
      type: "button",
      class: "sample",
      title: id,
      "aria-label": say("keep", { id }),
      click: () => {
        explorer.keep(row);
        explorer.hover(row);
      },
    },
    ...(isImage ? [canvas] : [name]),
  );
}

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {number[]} rows
 */
export function sampleList(explorer, pictures, rows) {
  const items = rows.map((row) => element("li", {}, sampleButton(explorer, pictures, row)));
  return element("ol", { class: "samples" }, ...items);
}

/**
 * Draw the pictures of the buttons in an element.
 * @param {HTMLElement} place
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 */
export function drawSamples(place, explorer, pictures) {
  for (const canvas of place.querySelectorAll("canvas[data-row]")) {
    const row = Number(canvas.getAttribute("data-row"));
    pictures.drawSample(/** @type {HTMLCanvasElement} */ (canvas), explorer.cloudNumber, row);
  }
}

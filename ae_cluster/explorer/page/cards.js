// @ts-check
/** Cards: all that is known of a dot. In the tip beside the pointer, and of those that were kept. */

import { byId, element } from "./dom.js";
import { nearestTo } from "./geometry.js";
import { say, spoken, translated } from "./language.js";
import { decimals } from "./text.js";

const N_NEIGHBOURS = 6;
const MOST_NUMBERS = 4; // of a code

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./pictures.js").Pictures} Pictures
 */

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {import("./looked_at.js").Dot} dot
 */
export function dotCard(explorer, pictures, { cloud, row }) {
  const { content, method, space } = explorer;
  const label = content.clouds[cloud].labels?.[row] ?? -1;
  const cluster = method.clusters[cloud][row];
  const sure = method.confidence[cloud]?.[row];
  const farther = content.clouds[cloud].farther_out?.[row];
  const code = space.codes[cloud].subarray(row * space.size, (row + 1) * space.size);
  const facts = [
    ...(content.classes.length ? [[say("label"), explorer.className(label)]] : []),
    [say("cluster"), explorer.clusterName(cluster)],
    ...(sure === undefined
      ? []
      : [[say("confidence"), say("confidence_value", { value: decimals(sure, 3), kind: translated(method.confidence_kind ?? "") })]]),
    ...(farther === undefined
      ? []
      : [[say("farther_out"), say("share_of_training", { share: decimals(100 * farther, 1) })]]),
    [say("code"), codeInWords(code)],
  ];
  return element(
    "div",
    { class: "dot" },
    element(
      "p",
      { class: "dot-id", title: content.clouds[cloud].ids[row] },
      content.clouds[cloud].ids[row],
    ),
    element(
      "div",
      { class: "dot-pictures" },
      ...samplePictures(explorer, pictures, cloud, row, code),
    ),
    element(
      "dl",
      {},
      ...facts.flatMap(([name, fact]) => [
        element("dt", {}, name),
        element("dd", { title: fact }, fact),
      ]),
    ),
    ...(content.clouds[cloud].n > 1 ? [neighbours(explorer, pictures, cloud, row)] : []),
  );
}

/** @param {Float32Array} code */
function codeInWords(code) {
  const first = Array.from(code.slice(0, MOST_NUMBERS), (value) => decimals(value, 2)).join("  ");
  return code.length > MOST_NUMBERS ? `${first} …` : first;
}

/**
 * The sample itself and what the decoder makes of its code, where the page has them.
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {number} cloud
 * @param {number} row
 * @param {Float32Array} code
 */
function samplePictures(explorer, pictures, cloud, row, code) {
  const found = [];
  const { decode } = explorer;
  if (pictures.has(cloud)) {
    const canvas = element("canvas", { class: "picture", "aria-hidden": "true" });
    pictures.drawSample(canvas, cloud, row);
    found.push(element("figure", {}, canvas, element("figcaption", {}, say("sample"))));
  }
  if (decode) {
    const canvas = element("canvas", { class: "picture", "aria-hidden": "true" });
    pictures.drawDecoded(canvas, decode(code));
    found.push(element("figure", {}, canvas, element("figcaption", {}, say("decoded"))));
  }
  return found;
}

/**
 * The nearest of the samples at hand, in code space.
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {number} cloud
 * @param {number} row
 */
function neighbours(explorer, pictures, cloud, row) {
  const { space, content } = explorer;
  const { codes, size } = space;
  const code = codes[cloud].subarray(row * size, (row + 1) * size);
  const shown = nearestTo(codes[cloud], size, code, N_NEIGHBOURS, row).map(({ row: near }) => {
    const label = content.clouds[cloud].labels?.[near];
    const name = label === undefined ? content.clouds[cloud].ids[near] : explorer.className(label);
    const words = element("span", {}, name);
    if (!pictures.has(cloud)) return element("li", {}, words);
    const canvas = element("canvas", { class: "picture", "aria-hidden": "true" });
    pictures.drawSample(canvas, cloud, near);
    return element("li", {}, canvas, words);
  });
  return element(
    "div",
    { class: "neighbours" },
    element("p", {}, say("nearest_codes")),
    element("ol", {}, ...shown),
  );
}

/**
 * The tip beside the dot that is pointed at.
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {import("./stage.js").Stage} stage
 */
export function listenToHover(explorer, pictures, stage) {
  const tip = byId("tip");
  let shown = "";
  const show = () => {
    const { hovered: row, cloudNumber: cloud, methodNumber } = explorer;
    tip.hidden = row < 0 || !stage.scene;
    if (tip.hidden) return;
    const name = explorer.clusterName(explorer.clusters[row]);
    const wanted = `${cloud}/${row}/${methodNumber}/${explorer.theme}/${spoken.language}/${name}`;
    if (wanted !== shown) tip.replaceChildren(dotCard(explorer, pictures, { cloud, row }));
    shown = wanted;
    place(tip, stage, row);
  };
  explorer.whenever(["hover", "method", "samples", "theme", "names", "language"], show);
  stage.whenDrawn.push(show);
}

/**
 * Put the tip to the side of the dot where there is room, or below or above it.
 * @param {HTMLElement} tip
 * @param {import("./stage.js").Stage} stage
 * @param {number} row
 */
function place(tip, stage, row) {
  const [x, y] = stage.pixelOf([...stage.places.slice(3 * row, 3 * row + 3)]);
  const { width, height } = stage.size;
  const { offsetWidth: wide, offsetHeight: high } = tip;
  const fitsRight = x + 22 + wide < width;
  const fitsBeside = fitsRight || x - 22 - wide > 0;
  const below = y + 22 + high < height ? y + 18 : y - 18 - high;
  const left = fitsRight ? x + 18 : fitsBeside ? x - 18 - wide : x - wide / 2;
  const within = (/** @type {number} */ value, /** @type {number} */ most) =>
    `${Math.max(4, Math.min(value, most - 4))}px`;
  tip.style.left = within(left, width - wide);
  tip.style.top = within(fitsBeside ? y - high / 2 : below, height - high);
}

/**
 * The dots that were kept, each with what can be done with it.
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 */
export function listenToKept(explorer, pictures) {
  explorer.whenever(["kept", "method", "theme", "names", "language"], () => {
    byId("kept-hint").hidden = explorer.kept.length > 0;
    byId("kept").replaceChildren(
      ...explorer.kept.map((dot, i) => keptCard(explorer, pictures, dot, i + 1)),
    );
  });
}

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {import("./looked_at.js").Dot} dot
 * @param {number} number
 */
function keptCard(explorer, pictures, dot, number) {
  const { space } = explorer;
  const code = space.codes[dot.cloud].slice(dot.row * space.size, (dot.row + 1) * space.size);
  const id = explorer.content.clouds[dot.cloud].ids[dot.row];
  return element(
    "li",
    { class: "kept-dot" },
    element("span", { class: "mark", "aria-hidden": "true" }, String(number)),
    dotCard(explorer, pictures, dot),
    element(
      "div",
      { class: "row" },
      element(
        "button",
        { type: "button", "aria-label": say("cursor_to", { number, id }), click: () => explorer.moveCursor(code) },
        say("cursor_here"),
      ),
      element(
        "button",
        { type: "button", "aria-label": say("neighbours_of", { number, id }), click: () => explorer.choose(dot) },
        say("neighbours"),
      ),
      element(
        "button",
        { type: "button", "aria-label": say("let_go_of", { number, id }), click: () => explorer.forget(dot) },
        say("let_go"),
      ),
    ),
  );
}

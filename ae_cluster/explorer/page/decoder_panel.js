// @ts-check
/** The live decoder: a cursor in code space, and a walk between two codes. */

import {
  byId,
  canvasById,
  element,
  fillSelect,
  inputById,
  refillSelect,
  selectById,
  wantsStillness,
} from "./dom.js";
import { between } from "./geometry.js";
import { codeMoved } from "./content.js";
import { say, translated } from "./language.js";
import { decimals, shortened } from "./text.js";

const N_STEPS = 9; // pictures along a walk
const WALK_SECONDS = 4;

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./pictures.js").Pictures} Pictures
 * @typedef {import("./stage.js").Stage} Stage
 * @typedef {{name: string, code: Float32Array}} End
 */

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {Stage} stage
 */
export function listenToDecoder(explorer, pictures, stage) {
  explorer.whenever(["language"], () => {
    byId("decoder-note").textContent = pictures.isTable ? say("bars_note") : "";
    byId("picture-note").textContent = translated(pictures.given.note);
  });
  explorer.whenever(["method", "language"], () => {
    const { decoder_note: note } = explorer.method;
    byId("no-decoder").textContent = translated(note);
    byId("decoder").hidden = note !== "";
  });
  explorer.whenever(["method", "samples", "language"], () => makeSliders(explorer, stage));
  explorer.whenever(["cursor", "method", "theme"], () => {
    const { decode, cursor } = explorer;
    if (!decode) return;
    const values = decode(cursor);
    pictures.drawDecoded(canvasById("decoded"), values);
    pictures.drawDecoded(canvasById("lens"), values);
    showCursor(explorer);
  });
  const lens = canvasById("lens");
  const placeLens = () => {
    lens.hidden = !explorer.showsCursor || explorer.tool !== "cursor" || !explorer.decode;
    if (lens.hidden || !stage.scene) return;
    const [x, y] = stage.pixelOf(explorer.cursorPlace);
    const { width, height } = stage.size;
    lens.style.left = `${Math.max(4, Math.min(x + 16, width - lens.offsetWidth - 4))}px`;
    lens.style.top = `${Math.max(4, Math.min(y - lens.offsetHeight - 16, height - lens.offsetHeight - 4))}px`;
  };
  stage.whenDrawn.push(placeLens);
}

/**
 * A slider for each direction.
 * @param {Explorer} explorer
 * @param {Stage} stage
 */
function makeSliders(explorer, stage) {
  const { axes } = explorer.space;
  const { low, high } = stage.extent;
  byId("sliders").replaceChildren(
    ...axes.map((name, axis) => {
      const margin = 0.15 * (high[axis] - low[axis]) || 1;
      const slider = element("input", {
        type: "range",
        id: `cursor-${axis}`,
        min: String(low[axis] - margin),
        max: String(high[axis] + margin),
        step: "any",
        input: () => {
          const step = [0, 0, 0];
          step[axis] = Number(slider.value) - explorer.cursorPlace[axis];
          explorer.moveCursor(codeMoved(explorer.cursor, explorer.space, step));
        },
      });
      const value = element("output", { for: `cursor-${axis}`, id: `cursor-${axis}-value` });
      return element(
        "div",
        { class: "slider" },
        element("label", { for: `cursor-${axis}` }, translated(name)),
        value,
        slider,
      );
    }),
  );
  showCursor(explorer);
}

/** @param {Explorer} explorer */
function showCursor(explorer) {
  explorer.cursorPlace.forEach((value, axis) => {
    const slider = document.getElementById(`cursor-${axis}`);
    if (!slider) return;
    /** @type {HTMLInputElement} */ (slider).value = String(value);
    byId(`cursor-${axis}-value`).textContent = decimals(value, 2);
  });
}

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 */
export function listenToWalk(explorer, pictures) {
  const [from, to] = ["walk-from", "walk-to"].map(selectById);
  const slider = inputById("walk");
  const play = /** @type {HTMLButtonElement} */ (byId("walk-play"));
  /** @type {End[]} */
  let ends = [];

  const show = () => {
    const [a, b] = [ends[Number(from.value)], ends[Number(to.value)]];
    if (a && b) drawStrip(explorer, pictures, a.code, b.code);
  };
  const step = (/** @type {number} */ share) => {
    const [a, b] = [ends[Number(from.value)], ends[Number(to.value)]];
    if (!a || !b) return;
    slider.value = String(share);
    explorer.walkTo(a.code, b.code, share);
  };
  let isWalking = false;
  const walkOn = (/** @type {number} */ start) => (/** @type {number} */ now) => {
    if (!isWalking) return;
    const share = Math.min(1, Math.max(0, now - start) / 1000 / WALK_SECONDS);
    step(wantsStillness() ? Math.floor(share * (N_STEPS - 1)) / (N_STEPS - 1) : share);
    isWalking = share < 1;
    requestAnimationFrame(walkOn(start));
  };
  from.addEventListener("change", () => step(0));
  to.addEventListener("change", () => step(0));
  for (const select of [from, to]) select.addEventListener("change", show);
  slider.addEventListener("input", () => {
    isWalking = false;
    step(Number(slider.value));
  });
  play.addEventListener("click", () => {
    if (isWalking) return;
    isWalking = true;
    requestAnimationFrame((now) => walkOn(now)(now));
  });
  explorer.whenever(["kept", "method", "samples", "coloring", "names"], () => {
    ends = walkEnds(explorer);
    const { length } = explorer.kept;
    const words = ends.map(({ name }) => shortened(name, 60));
    for (const select of [from, to]) fillSelect(select, words);
    for (const control of [from, to, slider, play]) control.disabled = ends.length < 2;
    from.value = String(Math.max(0, length - 2));
    to.value = String(length > 1 ? length - 1 : Math.min(ends.length - 1, length + 1));
    slider.value = "0";
    isWalking = false;
    explorer.walk = [];
    show();
  });
  explorer.whenever(["language"], () => {
    const words = walkEnds(explorer).map(({ name }) => shortened(name, 60));
    for (const select of [from, to]) refillSelect(select, words);
  });
  explorer.whenever(["theme"], show);
}

/**
 * Where a walk can start and end: the dots that were kept, and the middles of the groups.
 * @param {Explorer} explorer
 * @returns {End[]}
 */
function walkEnds(explorer) {
  const { space, content, cloud } = explorer;
  const kept = explorer.kept.map(({ cloud: number, row }, i) => ({
    name: say("walk_dot", { number: i + 1, id: content.clouds[number].ids[row] }),
    code: space.codes[number].slice(row * space.size, (row + 1) * space.size),
  }));
  const byCluster = explorer.coloringName === "cluster" || !cloud.labels;
  const ids = byCluster || !cloud.labels ? explorer.clusters : cloud.labels;
  const names = byCluster ? explorer.clusterNames : content.classes;
  /** @type {number[][]} */
  const rows = names.map(() => []);
  ids.forEach((id, row) => id >= 0 && rows[id].push(row));
  const middles = names.flatMap((name, id) => {
    const code = explorer.meanCode(rows[id]);
    return code ? [{ name: say("walk_middle", { name }), code }] : [];
  });
  return [...kept, ...middles];
}

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {Float32Array} from
 * @param {Float32Array} to
 */
function drawStrip(explorer, pictures, from, to) {
  const { decode } = explorer;
  if (!decode) return;
  byId("strip").replaceChildren(
    ...Array.from({ length: N_STEPS }, (_, i) => {
      const canvas = element("canvas", { class: "picture", "aria-hidden": "true" });
      pictures.drawDecoded(canvas, decode(between(from, to, i / (N_STEPS - 1))));
      return canvas;
    }),
  );
}

// @ts-check
/** Mouse, touch and keys on the stage. */

import { codeMoved } from "./content.js";
import { byId } from "./dom.js";
import { ARROWS, movedBy, panned, screenAxes, turned, zoomed } from "./geometry.js";
import { draws, pressPen } from "./pen.js";

const TURN = 0.008; // radians a pixel
const STEP = 0.12; // radians a key
const CLICK = 4; // pixels a pointer may move and still have clicked

/**
 * @param {import("./stage.js").Stage} stage
 * @param {import("./state.js").Explorer} explorer
 */
export function listenToPointer(stage, explorer) {
  const { box, pen } = stage;
  /** @type {Map<number, [number, number]>} */
  const down = new Map();
  let moved = 0;

  const at = (/** @type {MouseEvent} */ event) => {
    const { left, top } = box.getBoundingClientRect();
    return /** @type {[number, number]} */ ([event.clientX - left, event.clientY - top]);
  };

  box.addEventListener("pointerdown", (event) => {
    box.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    moved = down.size > 1 ? Infinity : 0; // two fingers never click
    explorer.hover(-1);
    pen.putAway();
    if (draws(explorer.tool) && event.button === 0 && down.size === 1) pen.putDown(at(event));
  });

  box.addEventListener("pointermove", (event) => {
    const place = at(event);
    const before = down.get(event.pointerId);
    if (!before) return explorer.hover(explorer.tool === "cursor" ? -1 : stage.pick(...place));
    const step = /** @type {[number, number]} */ ([place[0] - before[0], place[1] - before[1]]);
    moved += Math.hypot(...step);
    if (down.size === 2) pinch(stage, down, event.pointerId, place);
    else if (pen.start) pen.drawTo(explorer.tool, place);
    else drag(stage, explorer, event, step);
    down.set(event.pointerId, place);
    stage.askOver();
  });

  const up = (/** @type {PointerEvent} */ event) => {
    if (!down.delete(event.pointerId)) return;
    const outline = pen.lift();
    if (moved > CLICK) stage.selectInside(outline);
    else if (event.type === "pointerup" && event.button === 0) click(stage, explorer, at(event));
    stage.askOver();
  };
  box.addEventListener("pointerup", up);
  box.addEventListener("pointercancel", up);
  // A finger leaves whenever it is lifted; what it tapped stays in sight.
  box.addEventListener("pointerleave", ({ pointerType }) => {
    if (!down.size && pointerType !== "touch") explorer.hover(-1);
  });
  box.addEventListener("contextmenu", (event) => event.preventDefault());
  box.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      stage.zoom(Math.exp(-event.deltaY / 600));
    },
    { passive: false },
  );
  box.addEventListener("keydown", (event) => {
    if (event.target === box && press(stage, explorer, event)) event.preventDefault();
  });
}

/**
 * @param {import("./stage.js").Stage} stage
 * @param {import("./state.js").Explorer} explorer
 * @param {PointerEvent} event
 * @param {[number, number]} step
 */
function drag(stage, explorer, event, [right, below]) {
  const { height } = stage.size;
  if (event.shiftKey || event.buttons === 2 || event.buttons === 4) {
    stage.lookFrom(panned(stage.view, right / height, -below / height));
  } else if (explorer.tool === "cursor") {
    const scale = stage.pixelThere;
    moveCursor(stage, explorer, [right * scale, -below * scale, 0]);
  } else {
    stage.lookFrom(turned(stage.view, -TURN * right, TURN * below));
  }
}

/**
 * Move the cursor along the screen's right, up and towards the eye.
 * @param {import("./stage.js").Stage} stage
 * @param {import("./state.js").Explorer} explorer
 * @param {number[]} amounts
 */
function moveCursor(stage, explorer, amounts) {
  const step = movedBy([0, 0, 0], screenAxes(stage.view), amounts);
  explorer.moveCursor(codeMoved(explorer.cursor, explorer.space, step));
}

/**
 * Two fingers: nearer by spreading, along by moving together.
 * @param {import("./stage.js").Stage} stage
 * @param {Map<number, [number, number]>} down
 * @param {number} finger that moved
 * @param {[number, number]} place it moved to
 */
function pinch(stage, down, finger, place) {
  const before = /** @type {[number, number]} */ (down.get(finger));
  const other = [...down].find(([id]) => id !== finger)?.[1] ?? before;
  const apart = (/** @type {number[]} */ [x, y]) => Math.hypot(x - other[0], y - other[1]) || 1;
  const { height } = stage.size;
  const along = panned(
    stage.view,
    (place[0] - before[0]) / 2 / height,
    (before[1] - place[1]) / 2 / height,
  );
  stage.lookFrom(zoomed(along, apart(place) / apart(before), stage.extent.radius));
}

/**
 * @param {import("./stage.js").Stage} stage
 * @param {import("./state.js").Explorer} explorer
 * @param {[number, number]} place
 */
function click(stage, explorer, place) {
  const row = stage.pick(...place);
  if (row < 0) return;
  if (explorer.tool === "cursor") return explorer.moveCursor(explorer.codeOf(row));
  explorer.hover(row);
  explorer.keep(row);
}

/**
 * Act on a key; whether it was one of ours.
 * @param {import("./stage.js").Stage} stage
 * @param {import("./state.js").Explorer} explorer
 * @param {KeyboardEvent} event
 */
function press(stage, explorer, event) {
  const { key, shiftKey, ctrlKey, altKey, metaKey } = event;
  if (ctrlKey || altKey || metaKey) return false;
  if (draws(explorer.tool) && pressPen(stage, explorer.tool, event)) return true;
  const { view, extent } = stage;
  const arrow = ARROWS[key];
  const far = 0.05 * extent.radius;
  if (arrow) {
    const [right, up] = arrow;
    if (explorer.tool === "cursor") moveCursor(stage, explorer, [far * right, far * up, 0]);
    else if (shiftKey) stage.lookFrom(panned(view, -0.06 * right, -0.06 * up));
    else stage.lookFrom(turned(view, STEP * right, STEP * up));
    return true;
  }
  /** @type {Record<string, () => void>} */
  const keys = {
    "+": () => stage.zoom(1.15),
    "=": () => stage.zoom(1.15),
    "-": () => stage.zoom(1 / 1.15),
    0: () => stage.reset(),
    PageUp: () => moveCursor(stage, explorer, [0, 0, -far]),
    PageDown: () => moveCursor(stage, explorer, [0, 0, far]),
    n: () => stepTo(explorer, 1),
    p: () => stepTo(explorer, -1),
    Enter: () => explorer.hovered >= 0 && explorer.keep(explorer.hovered),
    c: () => explorer.hovered >= 0 && explorer.moveCursor(explorer.codeOf(explorer.hovered)),
    l: () => byId("to-label").focus(),
    Escape: () => explorer.letGo(),
  };
  keys[key]?.();
  return key in keys;
}

/**
 * Point at the next or previous dot that is shown and, where there is a selection, in it.
 * @param {import("./state.js").Explorer} explorer
 * @param {1 | -1} direction
 */
function stepTo(explorer, direction) {
  const rows = explorer.shownRows().filter((row) => explorer.selected?.has(row) ?? true);
  if (!rows.length) return;
  const next =
    direction > 0
      ? (rows.find((row) => row > explorer.hovered) ?? rows[0])
      : (rows.findLast((row) => row < explorer.hovered) ?? rows[rows.length - 1]);
  explorer.hover(next);
}

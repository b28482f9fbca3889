// @ts-check
/** Drawing around dots: a pen that the pointer leads, or arrow keys and the space bar. */

import { ARROWS, boxAround } from "./geometry.js";

const STROKE = 12; // pixels a key
const LONG_STROKE = 60; // with Shift

/** @typedef {[number, number]} Point pixels from the stage's upper left corner */

/** The outline of a box or a lasso while it is drawn. */
export class Pen {
  constructor() {
    /** @type {Point | null} where keys have brought it; null while none was pressed */
    this.place = null;
    /** @type {Point | null} where it was put down */
    this.start = null;
    /** @type {Point[]} */
    this.outline = [];
  }

  /** @param {Point} place */
  putDown(place) {
    this.start = place;
    this.outline = [place];
  }

  /**
   * @param {string} tool
   * @param {Point} place
   */
  drawTo(tool, place) {
    if (!this.start) return;
    this.outline = tool === "box" ? boxAround(this.start, place) : [...this.outline, place];
  }

  /** Lift the pen; what it has drawn. */
  lift() {
    const { outline } = this;
    this.start = null;
    this.outline = [];
    return outline;
  }

  putAway() {
    this.lift();
    this.place = null;
  }
}

/** @param {string} tool */
export const draws = (tool) => tool === "box" || tool === "lasso";

/**
 * Act on a key while a box or a lasso can be drawn; whether it was one of the pen's.
 * @param {{pen: Pen, size: {width: number, height: number}, askOver: () => void,
 *   selectInside: (outline: Point[]) => void}} stage
 * @param {string} tool
 * @param {KeyboardEvent} event
 */
export function pressPen(stage, tool, { key, shiftKey }) {
  const { pen } = stage;
  const { width, height } = stage.size;
  const place = pen.place ?? /** @type {Point} */ ([width / 2, height / 2]);
  const step = ARROWS[key];
  if (step) {
    const far = shiftKey ? LONG_STROKE : STROKE;
    const within = (/** @type {number} */ value, /** @type {number} */ most) =>
      Math.max(0, Math.min(value, most));
    pen.place = [within(place[0] + far * step[0], width), within(place[1] - far * step[1], height)];
    pen.drawTo(tool, pen.place);
  } else if (key === " ") {
    pen.place = place;
    if (pen.start) stage.selectInside(pen.lift());
    else pen.putDown(place);
  } else if (key === "Escape" && pen.place) pen.putAway();
  else return false;
  stage.askOver();
  return true;
}

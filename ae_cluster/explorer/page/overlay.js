// @ts-check
/** What is drawn over the dots: axes, group names, marks, the cursor, the selection's outline. */

import { inkOf, styleValue } from "./dom.js";
import { onScreen } from "./geometry.js";

/**
 * @typedef {{name: string, place: number[]}} Named
 * @typedef {{matrix: ArrayLike<number>, axes: string[], directions: number[][],
 *   names: Named[], hovered: number[] | null, target: number[] | null, kept: {place: number[], mark: string}[],
 *   cursor: number[] | null, image: number[] | null, walk: number[][], reach: number,
 *   outline: [number, number][], pen: [number, number] | null}} Marks
 */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {number} ratio
 * @param {Marks} marks
 */
export function drawOverlay(canvas, width, height, ratio, marks) {
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  }
  const ink = inkOf(canvas);
  ink.setTransform(ratio, 0, 0, ratio, 0, 0);
  ink.clearRect(0, 0, width, height);
  const at = (/** @type {number[]} */ place) => onScreen(place, marks.matrix, width, height);
  drawAxes(ink, marks, height);
  drawNames(ink, marks.names, at);
  drawLine(ink, marks.walk.map(at), styleValue("--accent"), [5, 4], 1.5);
  for (const { place, mark } of marks.kept) drawMark(ink, at(place), mark);
  if (marks.target) drawRing(ink, at(marks.target), 11, styleValue("--accent"), 2);
  if (marks.image) drawDiamond(ink, at(marks.image));
  if (marks.hovered) drawRing(ink, at(marks.hovered), 8, styleValue("--ink"), 2);
  if (marks.cursor) drawCursor(ink, marks.cursor, marks.reach, at);
  drawOutline(ink, marks.outline);
  if (marks.pen) drawPen(ink, marks.pen);
}

/** @typedef {(place: number[]) => Float32Array} At */

/**
 * A small triad in the lower left corner: which way each number of the code grows.
 * @param {CanvasRenderingContext2D} ink
 * @param {Marks} marks
 * @param {number} height
 */
function drawAxes(ink, { axes, directions: [right, up] }, height) {
  const [x, y, length] = [52, height - 48, 30];
  ink.font = `11px ${styleValue("--type")}`;
  ink.textAlign = "center";
  axes.forEach((name, axis) => {
    const end = (/** @type {number} */ far) => [x + far * right[axis], y - far * up[axis]];
    drawLine(ink, [[x, y], end(length)], styleValue("--quiet"), [], 1);
    const [toX, toY] = end(length + 11);
    if (Math.hypot(right[axis], up[axis]) < 0.25) return; // it points at the eye
    ink.fillStyle = styleValue("--quiet");
    ink.fillText(name, Math.max(toX, ink.measureText(name).width / 2 + 4), toY + 4);
  });
}

/**
 * @param {CanvasRenderingContext2D} ink
 * @param {Named[]} names
 * @param {At} at
 */
function drawNames(ink, names, at) {
  ink.font = `600 13px ${styleValue("--type")}`;
  ink.textAlign = "center";
  ink.lineJoin = "round";
  ink.lineWidth = 4;
  ink.strokeStyle = styleValue("--ground");
  ink.fillStyle = styleValue("--ink");
  const placed = names.map(({ name, place }) => ({ name, seen: at(place) }));
  /** @type {[number, number, number][]} */
  const taken = [];
  for (const { name, seen } of placed.sort((a, b) => a.seen[1] - b.seen[1])) {
    const half = ink.measureText(name).width / 2 + 3;
    let y = seen[1] + 4;
    for (const [x, other, reach] of taken) {
      if (Math.abs(x - seen[0]) < half + reach && y - other < 15) y = other + 15;
    }
    taken.push([seen[0], y, half]);
    ink.strokeText(name, seen[0], y);
    ink.fillText(name, seen[0], y);
  }
}

/**
 * @param {CanvasRenderingContext2D} ink
 * @param {ArrayLike<number>[]} line
 * @param {string} color
 * @param {number[]} dashes
 * @param {number} width
 */
function drawLine(ink, line, color, dashes, width) {
  ink.strokeStyle = color;
  ink.lineWidth = width;
  ink.setLineDash(dashes);
  ink.beginPath();
  for (const point of line) ink.lineTo(point[0], point[1]);
  ink.stroke();
  ink.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} ink
 * @param {ArrayLike<number>} seen
 * @param {number} radius
 * @param {string} color
 * @param {number} width
 */
function drawRing(ink, seen, radius, color, width) {
  for (const [stroke, thick] of /** @type {[string, number][]} */ ([
    [styleValue("--ground"), width + 3],
    [color, width],
  ])) {
    ink.strokeStyle = stroke;
    ink.lineWidth = thick;
    ink.beginPath();
    ink.arc(seen[0], seen[1], radius, 0, 2 * Math.PI);
    ink.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} ink
 * @param {ArrayLike<number>} seen
 * @param {string} mark
 */
function drawMark(ink, seen, mark) {
  drawRing(ink, seen, 8, styleValue("--accent"), 2);
  ink.font = `600 11px ${styleValue("--type")}`;
  ink.textAlign = "left";
  ink.strokeStyle = styleValue("--ground");
  ink.lineWidth = 3;
  ink.strokeText(mark, seen[0] + 11, seen[1] - 7);
  ink.fillStyle = styleValue("--accent");
  ink.fillText(mark, seen[0] + 11, seen[1] - 7);
}

/**
 * A user's image.
 * @param {CanvasRenderingContext2D} ink
 * @param {ArrayLike<number>} seen
 */
function drawDiamond(ink, seen) {
  const [x, y] = [seen[0], seen[1]];
  const corners = [[x, y - 10], [x + 10, y], [x, y + 10], [x - 10, y], [x, y - 10]]; // prettier-ignore
  drawLine(ink, corners, styleValue("--ground"), [], 6);
  drawLine(ink, corners, styleValue("--accent"), [], 3);
}

/**
 * A cross along the three directions, so that its depth can be seen.
 * @param {CanvasRenderingContext2D} ink
 * @param {number[]} place
 * @param {number} reach
 * @param {At} at
 */
function drawCursor(ink, place, reach, at) {
  for (let axis = 0; axis < 3; axis++) {
    const ends = [-reach, reach].map((d) => at(place.map((v, i) => (i === axis ? v + d : v))));
    drawLine(ink, ends, styleValue("--ground"), [], 4);
    drawLine(ink, ends, styleValue("--accent"), [], 1.5);
  }
  drawRing(ink, at(place), 5, styleValue("--accent"), 2);
}

/**
 * @param {CanvasRenderingContext2D} ink
 * @param {[number, number]} place
 */
function drawPen(ink, [x, y]) {
  for (const [color, width] of /** @type {[string, number][]} */ ([
    ["--ground", 5],
    ["--accent", 2],
  ])) {
    drawLine(ink, [[x - 9, y], [x + 9, y]], styleValue(color), [], width); // prettier-ignore
    drawLine(ink, [[x, y - 9], [x, y + 9]], styleValue(color), [], width); // prettier-ignore
  }
}

/**
 * @param {CanvasRenderingContext2D} ink
 * @param {[number, number][]} outline
 */
function drawOutline(ink, outline) {
  if (outline.length < 2) return;
  ink.beginPath();
  for (const [x, y] of outline) ink.lineTo(x, y);
  ink.closePath();
  ink.fillStyle = styleValue("--veil");
  ink.fill();
  ink.strokeStyle = styleValue("--accent");
  ink.lineWidth = 1.5;
  ink.setLineDash([4, 3]);
  ink.stroke();
  ink.setLineDash([]);
}

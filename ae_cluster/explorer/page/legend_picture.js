// @ts-check
/** The legend in a picture of the stage: what each colour means, with the user's own names. */

import { styleValue } from "./dom.js";
import { say } from "./language.js";
import { shortened } from "./text.js";

const [MARGIN, LINE, SWATCH] = [12, 18, 10];
const MOST_LETTERS = 28;

/**
 * Draw a legend into the upper right corner.
 * @param {CanvasRenderingContext2D} ink in pixels of the page
 * @param {import("./colors.js").Coloring} coloring
 * @param {{width: number, height: number}} size
 */
export function drawLegend(ink, { legend, scale }, { width, height }) {
  ink.font = `12px ${styleValue("--type")}`;
  ink.textBaseline = "middle";
  ink.textAlign = "left";
  if (scale) return drawScale(ink, scale, width);
  const entries = legend.filter(({ n }) => n > 0);
  const most = Math.max(1, Math.floor((height - 2 * MARGIN) / LINE) - 1);
  const lines = entries.slice(0, most).map(({ name, color }) => ({ name: shortened(name, MOST_LETTERS), color }));
  if (entries.length > most) lines.push({ name: say("legend_more", { n: entries.length - most }), color: "" });
  const wide = Math.max(0, ...lines.map(({ name }) => ink.measureText(name).width));
  const left = width - MARGIN - wide;
  clear(ink, left - SWATCH - 12, lines.length * LINE + 8, wide + SWATCH + 18);
  lines.forEach(({ name, color }, i) => {
    const y = MARGIN + (i + 0.5) * LINE;
    if (color) {
      ink.fillStyle = color;
      ink.beginPath();
      ink.arc(left - SWATCH, y, SWATCH / 2, 0, 2 * Math.PI);
      ink.fill();
    }
    ink.fillStyle = styleValue("--ink");
    ink.fillText(name, left, y);
  });
}

/**
 * Leave the dots behind the legend only just seen.
 * @param {CanvasRenderingContext2D} ink
 * @param {number} left
 * @param {number} high
 * @param {number} wide
 */
function clear(ink, left, high, wide) {
  ink.globalAlpha = 0.8;
  ink.fillStyle = styleValue("--ground");
  ink.fillRect(left, MARGIN - 4, wide, high);
  ink.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} ink
 * @param {{from: string, to: string, stops: string[]}} scale
 * @param {number} width
 */
function drawScale(ink, { from, to, stops }, width) {
  const [left, wide] = [width - MARGIN - 160, 160];
  clear(ink, left - 6, 2 * LINE + 4, wide + 12);
  const shades = ink.createLinearGradient(left, 0, left + wide, 0);
  stops.forEach((stop, i) => shades.addColorStop(i / (stops.length - 1), stop));
  ink.fillStyle = shades;
  ink.fillRect(left, MARGIN, wide, SWATCH);
  ink.fillStyle = styleValue("--ink");
  ink.fillText(from, left, MARGIN + 1.4 * LINE);
  ink.textAlign = "right";
  ink.fillText(to, left + wide, MARGIN + 1.4 * LINE);
}

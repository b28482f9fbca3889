// @ts-check
/** From what is known of the samples to the colour of each dot. */

import { say } from "./language.js";

/**
 * @typedef {[number, number, number]} Rgb
 * @typedef {{name: string, color: string, n: number}} LegendEntry
 * @typedef {{of: (i: number) => Rgb, legend: LegendEntry[], scale: {from: string, to: string,
 *   stops: string[]} | null}} Coloring
 */

export const SHOWN = 255;
export const FADED = 90;
export const HIDDEN = 0;

/** @type {Record<"light" | "dark", Record<string, string>>} */
const TONES = {
  light: { unknown: "#8a8f98", right: "#2f6fd0", wrong: "#d4550a" },
  dark: { unknown: "#8a8f98", right: "#74aaff", wrong: "#ff9350" },
};
// From unsure to sure: told apart by lightness as well as hue.
const SCALES = {
  light: ["#d98a10", "#8d8f9b", "#16306f"],
  dark: ["#ffc061", "#8f97a8", "#4f86ff"],
};

/**
 * @param {string} hex "#rrggbb"
 * @returns {Rgb}
 */
export function rgbOf(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * Colours for groups with a colour each; −1 is grey.
 * @param {ArrayLike<number>} groups
 * @param {string[]} colors
 * @param {string[]} names
 * @param {"light" | "dark"} theme
 * @param {string} unknown what −1 means
 * @returns {Coloring}
 */
export function byGroup(groups, colors, names, theme, unknown) {
  const paints = [...colors, TONES[theme].unknown].map(rgbOf);
  const counts = counted(groups, names.length);
  const legend = names.map((name, i) => ({ name, color: colors[i], n: counts[i] }));
  if (counts[names.length]) {
    legend.push({ name: unknown, color: TONES[theme].unknown, n: counts[names.length] });
  }
  const last = paints.length - 1;
  return { of: (i) => paints[groups[i] < 0 ? last : groups[i]], legend, scale: null };
}

/**
 * Right, wrong, or not to be told.
 * @param {ArrayLike<number>} labels
 * @param {ArrayLike<number>} clusters
 * @param {number[]} classOfCluster
 * @param {"light" | "dark"} theme
 */
export function byOutcome(labels, clusters, classOfCluster, theme) {
  const outcomes = Int32Array.from(labels, (label, i) =>
    label < 0 ? -1 : Number(classOfCluster[clusters[i]] !== label),
  );
  const { right, wrong } = TONES[theme];
  return byGroup(outcomes, [right, wrong], [say("right"), say("wrong")], theme, say("no_label"));
}

/**
 * Shades for shares between 0 and 1.
 * @param {ArrayLike<number>} shares
 * @param {"light" | "dark"} theme
 * @returns {Coloring}
 */
export function byShare(shares, theme) {
  const stops = SCALES[theme];
  const paints = stops.map(rgbOf);
  const of = (/** @type {number} */ i) => shade(paints, shares[i]);
  return { of, legend: [], scale: { from: say("unsure"), to: say("sure"), stops } };
}

/**
 * Shades for numbers, between those that all but one in a hundred on each side lie between.
 * @param {Float32Array} values
 * @param {"light" | "dark"} theme
 * @returns {Coloring}
 */
export function byNumber(values, theme) {
  const sorted = values.filter(Number.isFinite).sort();
  const [low, high] = [0.01, 0.99].map((share) => sorted[Math.round(share * (sorted.length - 1))]);
  const stops = SCALES[theme];
  const paints = stops.map(rgbOf);
  const unknown = rgbOf(TONES[theme].unknown);
  const of = (/** @type {number} */ i) =>
    Number.isFinite(values[i]) ? shade(paints, (values[i] - low) / (high - low || 1)) : unknown;
  const [from, to] = [low, high].map((value) => (value === undefined ? "" : String(Number(value.toPrecision(3)))));
  return { of, legend: [], scale: { from, to, stops } };
}

/**
 * One shade for each label budget, smallest first; grey for samples in none.
 * @param {ArrayLike<number>} budgets 0 for none
 * @param {"light" | "dark"} theme
 */
export function byBudget(budgets, theme) {
  const sizes = [...new Set(Array.from(budgets))].filter((size) => size > 0).sort((a, b) => a - b);
  const paints = SCALES[theme].map(rgbOf);
  const colors = sizes.map((_, i) => hexOf(shade(paints, i / Math.max(1, sizes.length - 1))));
  const places = new Map(sizes.map((size, i) => [size, i]));
  const groups = Int32Array.from(budgets, (size) => places.get(size) ?? -1);
  const names = sizes.map((n, i) => say(i ? "from_per_class" : "per_class", { n }));
  return byGroup(groups, colors, names, theme, say("in_no_budget"));
}

/**
 * @param {Rgb[]} paints
 * @param {number} share
 * @returns {Rgb}
 */
function shade(paints, share) {
  const place = Math.max(0, Math.min(1, share)) * (paints.length - 1);
  const i = Math.min(Math.floor(place), paints.length - 2);
  const mix = (/** @type {number} */ c) =>
    Math.round(paints[i][c] + (place - i) * (paints[i + 1][c] - paints[i][c]));
  return [mix(0), mix(1), mix(2)];
}

/** @param {Rgb} rgb */
export function hexOf(rgb) {
  return `#${rgb.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * A colour for a class that has none of its own: hues a golden angle apart.
 * @param {number} i
 * @param {"light" | "dark"} theme
 */
export function someColor(i, theme) {
  const [hue, lightness] = [(i * 137.508) % 360, theme === "light" ? 0.42 : 0.68];
  const chroma = 0.62 * Math.min(lightness, 1 - lightness);
  const part = (/** @type {number} */ n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return hexOf([part(0), part(8), part(4)]);
}

/**
 * How many of each group 0 … n − 1 there are, and last how many of none.
 * @param {ArrayLike<number>} groups
 * @param {number} n
 */
export function counted(groups, n) {
  const counts = new Array(n + 1).fill(0);
  for (let i = 0; i < groups.length; i++) counts[groups[i] < 0 ? n : groups[i]] += 1;
  return counts;
}

/**
 * The text colour that reads better on a background, whatever the theme.
 * @param {Rgb} rgb
 */
export function inkOn(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}

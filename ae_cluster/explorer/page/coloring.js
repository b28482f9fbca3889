// @ts-check
/** How the dots are coloured now, from what is looked at and what is known of the samples. */

import {
  FADED,
  HIDDEN,
  SHOWN,
  byBudget,
  byGroup,
  byNumber,
  byOutcome,
  byShare,
  someColor,
} from "./colors.js";
import { say } from "./language.js";

/**
 * @typedef {import("./looked_at.js").LookedAt} Explorer
 * @typedef {import("./looked_at.js").ColoringName} ColoringName
 * @typedef {import("./colors.js").Coloring} Coloring
 */

/**
 * Whether there is something to colour by.
 * @param {Explorer} explorer
 * @param {ColoringName} name
 */
export function canColor({ cloud, cloudNumber, method, labels: given, columns }, name) {
  const { labels, budget } = cloud;
  if (name === "label") return labels !== null;
  if (name === "right") return labels !== null && method.class_of_cluster !== null;
  if (name === "confidence") return method.confidence[cloudNumber] !== null;
  if (name === "given") return given.given.size > 0;
  if (name === "column") return columns.n > 0;
  return name === "cluster" || budget !== null;
}

/**
 * @param {Explorer} explorer
 * @returns {Coloring}
 */
export function coloringOf(explorer) {
  const { cloud, cloudNumber, clusters, method, theme, coloringName: name } = explorer;
  const { labels, budget } = cloud;
  const shares = method.confidence[cloudNumber];
  if (name === "right" && labels && method.class_of_cluster) {
    return byOutcome(labels, clusters, method.class_of_cluster, theme);
  }
  if (name === "confidence" && shares) return byShare(shares, theme);
  if (name === "budget" && budget) return byBudget(budget, theme);
  if (name === "given") return givenColoring(explorer);
  if (name === "column") return columnColoringOf(explorer);
  return groupColoringOf(explorer, name === "label" && labels ? "label" : "cluster");
}

/**
 * By the labels given in this page; classes of the data have their own colours.
 * @param {Explorer} explorer
 */
function givenColoring(explorer) {
  const { names, given } = explorer.labels;
  const known = explorer.groupColors("label");
  const colors = names.map((_, i) => known[i] ?? someColor(i, explorer.theme));
  const place = new Map(names.map((name, i) => [name, i]));
  const ids = explorer.cloud.ids.map((id) => place.get(given.get(id) ?? "") ?? -1);
  return byGroup(ids, colors, names, explorer.theme, say("not_labelled"));
}

/**
 * By a column's numbers or categories, or whether it holds the text that is looked for.
 * @param {Explorer} explorer
 * @returns {Coloring}
 */
export function columnColoringOf({ columns, cloud, cloudNumber, theme }) {
  const { kind, names } = columns.column;
  if (kind === "number") return byNumber(columns.values(cloudNumber, cloud.n), theme);
  if (kind === "category") {
    const colors = names.map((_, i) => someColor(i, theme));
    return byGroup(columns.values(cloudNumber, cloud.n), colors, names, theme, say("nothing_there"));
  }
  const found = Array.from({ length: cloud.n }, (_, row) => (columns.holdsText(cloudNumber, row) ? 0 : -1));
  return byGroup(found, [someColor(0, theme)], [say("holds_text")], theme, say("lacks_text"));
}

/**
 * @param {Explorer} explorer
 * @param {"label" | "cluster"} kind
 * @returns {Coloring}
 */
export function groupColoringOf(explorer, kind) {
  const { cloud, clusters, content, clusterNames, theme } = explorer;
  const labels = cloud.labels ?? new Int32Array(cloud.n).fill(-1);
  const [ids, names, none] =
    kind === "label"
      ? [labels, content.classes, say("no_label")]
      : [clusters, clusterNames, say("noise")];
  return byGroup(ids, explorer.groupColors(kind), names, theme, none);
}

/**
 * Whether a dot stands back: it is not of the selection; or has no label, where these are shown.
 * @param {Explorer} explorer
 * @param {number} row
 */
function isFaded({ selected, coloringName, labels, cloud }, row) {
  if (selected) return !selected.has(row);
  return coloringName === "given" && !labels.given.has(cloud.ids[row]);
}

/**
 * Red, green, blue and how much it is shown, of every dot.
 * @param {Explorer} explorer
 */
export function paintOf(explorer) {
  const { of } = explorer.coloring;
  const { n } = explorer.cloud;
  const paint = new Uint8Array(4 * n);
  for (let row = 0; row < n; row++) {
    const [red, green, blue] = of(row);
    paint[4 * row] = red;
    paint[4 * row + 1] = green;
    paint[4 * row + 2] = blue;
    paint[4 * row + 3] = !explorer.isShown(row) ? HIDDEN : isFaded(explorer, row) ? FADED : SHOWN;
  }
  return paint;
}

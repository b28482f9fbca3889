// @ts-check
/** The scores, the confusion matrix and the selection. */

import { csvOf } from "./content.js";
import { hexOf, inkOn, rgbOf } from "./colors.js";
import {
  byId,
  element,
  fillSelect,
  grouped,
  saveAs,
  selectById,
  styleValue,
  wantsStillness,
} from "./dom.js";
import { say, translated } from "./language.js";
import { decimals, shortened } from "./text.js";

/** @typedef {import("./state.js").Explorer} Explorer */

/** @param {Explorer} explorer */
export function listenToScores(explorer) {
  const { columns, rows } = explorer.content.scores;
  const isScored = columns.includes("accuracy");
  explorer.whenever(["method", "language"], () => {
    const words = say(isScored ? "scores_words" : "unscored_words");
    byId("scores-words").textContent = rows.length ? words : say("no_scores");
    if (!rows.length) return;
    const head = [say("scored"), ...columns.map(translated)].map((name) =>
      element("th", { scope: "col" }, name),
    );
    byId("scores").replaceChildren(
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...rows.map((row) => scoreRow(row, explorer.method.name))),
    );
  });
}

/**
 * @param {import("./content.js").Scores["rows"][number]} row
 * @param {string} shown the method on the stage
 */
function scoreRow({ name: way, shown_by, values, reason }, shown) {
  const isShown = shown_by === shown;
  const cells = values.map((value) => element("td", {}, value === null ? "–" : decimals(value, 3)));
  const name = element("th", { scope: "row" }, way);
  if (reason) name.append(element("span", { class: "reason" }, say("failed", { reason })));
  return element("tr", isShown ? { "aria-current": "true" } : {}, name, ...cells);
}

/** @param {Explorer} explorer */
export function listenToConfusion(explorer) {
  explorer.whenever(["samples", "method", "theme", "names", "language"], () => {
    const { labels } = explorer.cloud;
    byId("confusion-words").textContent = say(labels ? "confusion_words" : "confusion_unlabelled");
    const table = byId("confusion");
    if (labels) table.replaceChildren(...confusionRows(explorer, labels));
    else table.replaceChildren();
    table.hidden = !labels;
  });
  explorer.whenever(["selection"], () => {
    for (const button of document.querySelectorAll("#confusion tbody button")) {
      button.setAttribute("aria-pressed", String(button.id === `cell-${explorer.cell}`));
    }
  });
  byId("confusion").addEventListener("keydown", (event) => moveAmongCells(event));
}

/**
 * @param {Explorer} explorer
 * @param {Int32Array} labels
 */
function confusionRows(explorer, labels) {
  const { method, clusters, content } = explorer;
  const match = method.class_of_cluster ?? [];
  const order = [...Array(method.n_clusters).keys()].sort(
    (a, b) => (match[a] ?? -1) - (match[b] ?? -1) || a - b,
  );
  const counts = content.classes.map(() => new Array(method.n_clusters).fill(0));
  labels.forEach((label, row) => {
    if (label >= 0 && clusters[row] >= 0) counts[label][clusters[row]] += 1;
  });
  const present = counts.map((_, id) => id).filter((id) => counts[id].some((n) => n > 0));
  const heading = (/** @type {string} */ scope, /** @type {string} */ name) =>
    element("th", { scope, title: name }, shortened(name, 24));
  const head = order.map((id) => heading("col", explorer.clusterName(id)));
  const rows = present.map((label, i) =>
    element(
      "tr",
      {},
      heading("row", explorer.className(label)),
      ...order.map((cluster, j) => {
        const total = counts[label].reduce((sum, n) => sum + n, 0);
        return confusionCell(explorer, label, cluster, counts[label][cluster], total, i + j === 0);
      }),
    ),
  );
  const corner = element("td", {}, say("confusion_corner"));
  return [element("thead", {}, element("tr", {}, corner, ...head)), element("tbody", {}, ...rows)];
}

/**
 * @param {Explorer} explorer
 * @param {number} label
 * @param {number} cluster
 * @param {number} n
 * @param {number} total of the class
 * @param {boolean} isFirst
 */
function confusionCell(explorer, label, cluster, n, total, isFirst) {
  const [from, to] = ["--surface", "--accent"].map((name) => rgbOf(styleValue(name)));
  const share = n ? 0.06 + 0.86 * Math.sqrt(n / total) : 0;
  const tint = from.map((value, i) => Math.round(value + share * (to[i] - value)));
  const rgb = /** @type {import("./colors.js").Rgb} */ (tint);
  const words = say("confusion_cell", {
    n,
    label: explorer.className(label),
    cluster: explorer.clusterName(cluster),
  });
  const button = element(
    "button",
    {
      type: "button",
      id: `cell-${label}-${cluster}`,
      tabindex: isFirst ? "0" : "-1",
      "aria-pressed": String(explorer.cell === `${label}-${cluster}`),
      "aria-label": say("show_them", { what: words }),
      title: words,
      click: () => lightUp(explorer, label, cluster),
    },
    n ? String(n) : "·",
  );
  button.style.background = hexOf(rgb);
  button.style.color = inkOn(rgb);
  return element("td", {}, button);
}

/**
 * Select a cell's dots and bring them into sight; a second time, let them go.
 * @param {Explorer} explorer
 * @param {number} label
 * @param {number} cluster
 */
function lightUp(explorer, label, cluster) {
  const { labels } = explorer.cloud;
  const cell = `${label}-${cluster}`;
  if (explorer.cell === cell) return explorer.select(null);
  const rows = [...explorer.clusters.keys()].filter(
    (row) => explorer.clusters[row] === cluster && labels?.[row] === label,
  );
  if (!rows.length) return explorer.select(null);
  explorer.select(rows, cell);
  byId("stage").scrollIntoView({
    block: "nearest",
    behavior: wantsStillness() ? "instant" : "smooth",
  });
}

/**
 * Arrow keys go from cell to cell; the tabulator leaves the table.
 * @param {KeyboardEvent} event
 */
function moveAmongCells(event) {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[
    event.key
  ];
  const cell = event.target instanceof Element ? event.target.closest("td") : null;
  const row = cell?.closest("tr");
  if (!step || !cell || !row) return;
  event.preventDefault();
  const rows = [...(row.parentElement?.children ?? [])];
  const target = rows[rows.indexOf(row) + step[0]]?.children[cell.cellIndex + step[1]];
  const next = target?.querySelector("button");
  if (!next) return;
  cell.querySelector("button")?.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}

/** @param {Explorer} explorer */
export function listenToSelection(explorer) {
  byId("select-shown").addEventListener("click", () => explorer.select(explorer.shownRows()));
  const cluster = selectById("select-cluster");
  cluster.addEventListener("change", () => selectCluster(explorer, cluster.value));
  explorer.whenever(["method", "names", "language"], () => {
    const before = cluster.value || "0";
    fillSelect(cluster, [say("a_cluster"), ...explorer.clusterNames]);
    cluster.value = isCluster(explorer, before) ? before : "0";
  });
  byId("select-none").addEventListener("click", () => explorer.select(null));
  byId("download").addEventListener("click", () => saveAs(selectionCsv(explorer), "selected.csv"));
  explorer.whenever(["selection", "method", "samples", "names", "language"], () => {
    const { selected, cloud } = explorer;
    const n = selected?.size ?? 0;
    byId("selected").textContent = selected
      ? say("dots_selected", { n: grouped(n), all: grouped(cloud.n) })
      : say("nothing_selected");
    if (!isCluster(explorer, cluster.value)) cluster.value = "0";
    /** @type {HTMLButtonElement} */ (byId("download")).disabled = !n;
    /** @type {HTMLButtonElement} */ (byId("select-none")).disabled = !selected;
    byId("selected-counts").replaceChildren(
      ...(selected ? selectionCounts(explorer, selected) : []),
    );
  });
}

/**
 * The dots of a cluster, by its place in the list, in which the first is none.
 * @param {Explorer} explorer
 * @param {string} place
 */
function clusterRows({ cloud, clusters }, place) {
  return [...Array(cloud.n).keys()].filter((row) => clusters[row] === Number(place) - 1);
}

/**
 * @param {Explorer} explorer
 * @param {string} place
 */
function selectCluster(explorer, place) {
  explorer.select(place === "0" ? null : clusterRows(explorer, place));
}

/**
 * Whether a cluster's dots are what is selected.
 * @param {Explorer} explorer
 * @param {string} place
 */
function isCluster(explorer, place) {
  const { selected } = explorer;
  const rows = place === "0" ? [] : clusterRows(explorer, place);
  return rows.length === selected?.size && rows.every((row) => selected.has(row));
}

/**
 * @param {Explorer} explorer
 * @param {Set<number>} selected
 */
function selectionCounts(explorer, selected) {
  const { cloud, clusters } = explorer;
  const rows = [...selected];
  const lists = [
    ...(cloud.labels
      ? [["selected_by_label", rows.map((row) => explorer.className(cloud.labels?.[row] ?? -1))]]
      : []),
    ["selected_by_cluster", rows.map((row) => explorer.clusterName(clusters[row]))],
  ];
  return /** @type {[import("./language.js").Key, string[]][]} */ (lists).map(([title, names]) => {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    const sorted = [...counts].sort((a, b) => b[1] - a[1]);
    const words = sorted
      .slice(0, 12)
      .flatMap(([name, n], i) => [
        i ? say("comma") : "",
        element("bdi", {}, shortened(name, 40)),
        ` × ${grouped(n)}`,
      ]);
    const rest = sorted.length > 12 ? say("and_n_more", { n: sorted.length - 12 }) : "";
    return element("p", {}, element("strong", {}, say(title)), ...words, rest);
  });
}

/** @param {Explorer} explorer */
export function selectionCsv({ selected, cloud, clusters, content, method, names }) {
  const rows = [...(selected ?? [])].sort((a, b) => a - b);
  const label = (/** @type {number} */ row) => {
    const id = cloud.labels ? cloud.labels[row] : -1;
    return id < 0 ? "" : content.classes[id];
  };
  const split = (/** @type {number} */ row) => (row < cloud.n_train ? "train" : "test");
  const own = names.of(method.name);
  const name = (/** @type {number} */ row) => (own.size ? [own.get(clusters[row]) ?? ""] : []);
  return csvOf(
    ["id", "split", "label", `cluster_${method.name}`, ...(own.size ? [`name_${method.name}`] : [])],
    rows.map((row) => [cloud.ids[row], split(row), label(row), clusters[row], ...name(row)]),
  );
}

// @ts-check
/** What a cluster is: its mean and spread, typical and doubtful samples, what tells it apart. */

import { drawSamples, sampleList } from "./sample_list.js";
import { byId, element, fillSelect, grouped, inkOf, selectById, styleValue } from "./dom.js";
import { say } from "./language.js";
import { listenToNames } from "./name_panel.js";
import { decimals, shortened } from "./text.js";

const N_CLASSES = 3;
const [STRIP_WIDTH, STRIP_HEIGHT] = [292, 22];
const MOST_ON_STRIP = 400; // samples

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./pictures.js").Pictures} Pictures
 * @typedef {import("./content.js").ExplainedCluster} ExplainedCluster
 */

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 */
export function listenToExplain(explorer, pictures) {
  const select = selectById("explain-cluster");
  const shown = () => explorer.explained.clusters[Number(select.value)];
  const show = () => {
    const cluster = shown();
    byId("explained").replaceChildren(
      ...(cluster ? partsOf(explorer, pictures, cluster, go) : []),
    );
    drawSamples(byId("explained"), explorer, pictures);
  };
  const go = (/** @type {number} */ id) => {
    select.value = String(explorer.explained.clusters.findIndex((cluster) => cluster.id === id));
    show();
  };
  select.addEventListener("change", show);
  const fill = () => {
    const names = explorer.explained.clusters.map(({ id }) => explorer.clusterName(id));
    fillSelect(select, names.map((name) => shortened(name, 60)));
  };
  explorer.whenever(["method", "samples"], () => {
    fill();
    show();
  });
  explorer.whenever(["names", "language"], () => {
    const before = select.value;
    fill();
    select.value = before;
    show();
  });
  explorer.whenever(["theme"], show);
  listenToNames(explorer, select);
  byId("explain-select").addEventListener("click", () => {
    const cluster = shown();
    if (cluster) explorer.select(rowsOfCluster(explorer, cluster.id));
  });
}

/**
 * @param {Explorer} explorer
 * @param {number} id
 */
function rowsOfCluster({ clusters }, id) {
  return [...clusters.keys()].filter((row) => clusters[row] === id);
}

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {ExplainedCluster} cluster
 * @param {(id: number) => void} go to another cluster
 */
function partsOf(explorer, pictures, cluster, go) {
  const rows = rowsOfCluster(explorer, cluster.id);
  const lists = /** @type {[string, number[]][]} */ ([
    [say("most_typical"), cluster.typical],
    [say("borderline"), cluster.borderline],
    [say("outliers"), cluster.outliers],
  ]);
  return [
    clusterFacts(explorer, rows),
    ...meanImages(explorer, cluster.id),
    ...lists.flatMap(([title, some]) =>
      some.length ? [element("h3", {}, title), sampleList(explorer, pictures, some)] : [],
    ),
    ...nearClusters(explorer, cluster, go),
    ...tellingColumns(explorer, pictures, cluster.id, rows),
  ];
}

/**
 * @param {Explorer} explorer
 * @param {number[]} rows
 */
function clusterFacts(explorer, rows) {
  const { cloud, content } = explorer;
  const share = decimals((100 * rows.length) / cloud.n, 1);
  const told = [[say("samples"), say("samples_and_share", { n: grouped(rows.length), share })]];
  if (cloud.labels) {
    /** @type {Map<number, number>} */
    const counts = new Map();
    for (const row of rows) counts.set(cloud.labels[row], (counts.get(cloud.labels[row]) ?? 0) + 1);
    counts.delete(-1);
    const sorted = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const n = sorted.reduce((sum, [, count]) => sum + count, 0);
    const named = sorted.slice(0, N_CLASSES).map(([id, count]) => `${content.classes[id]}: ${count}`);
    const more = sorted.length > N_CLASSES ? [say("n_more", { n: sorted.length - N_CLASSES })] : [];
    told.push(
      [say("purity"), n ? decimals(sorted[0][1] / n, 3) : say("no_label_known")],
      [say("its_classes"), [...named, ...more].join(", ")],
    );
  }
  const cells = told.flatMap(([name, fact]) => [
    element("dt", {}, name),
    element("dd", { title: fact }, fact),
  ]);
  return element("dl", {}, ...cells);
}

/**
 * The mean of a cluster's images, and how much each pixel varies.
 * @param {Explorer} explorer
 * @param {number} id
 */
function meanImages({ explained }, id) {
  const { means, clusters } = explained;
  const place = clusters.findIndex((cluster) => cluster.id === id);
  if (!means || place < 0) return [];
  const [height, width] = means.shape;
  const perSheet = Math.floor(2048 / width) * Math.floor(2048 / height);
  const figures = /** @type {[string, string, number][]} */ ([
    [say("mean"), say("mean_of_images"), place],
    [say("standard_deviation"), say("deviation_of_images"), means.n + place],
  ]).map(([words, label, number]) => {
    const canvas = element("canvas", {
      class: "picture", role: "img", "aria-label": label,
      width: String(width), height: String(height),
    });
    const sheet = new Image();
    sheet.addEventListener("load", () => {
      const at = number % perSheet;
      const across = sheet.naturalWidth / width;
      const [x, y] = [(at % across) * width, Math.floor(at / across) * height];
      inkOf(canvas).drawImage(sheet, x, y, width, height, 0, 0, width, height);
    });
    sheet.src = `data:image/png;base64,${means.sheets[Math.floor(number / perSheet)]}`;
    return element("figure", {}, canvas, element("figcaption", {}, words));
  });
  return [element("div", { class: "means" }, ...figures)];
}

/**
 * The nearest other clusters, each with a walk of the decoder towards it.
 * @param {Explorer} explorer
 * @param {ExplainedCluster} cluster
 * @param {(id: number) => void} go
 */
function nearClusters(explorer, cluster, go) {
  if (!cluster.nearest.length) return [];
  const walk = (/** @type {number} */ other) => {
    const codes = [cluster.id, other].map((id) => explorer.meanCode(rowsOfCluster(explorer, id)));
    const [from, to] = codes;
    if (from && to) explorer.walkTo(from, to, 0.5);
  };
  const items = cluster.nearest.map(([id, distance]) => {
    const name = explorer.clusterName(id);
    const toIt = element("button", { type: "button", click: () => go(id) }, shortened(name, 24));
    const half = element(
      "button",
      { type: "button", "aria-label": say("half_way_to", { name }), click: () => walk(id) },
      say("half_way"),
    );
    const far = element("span", { class: "count" }, distance === null ? "" : distance.toPrecision(3));
    return element("li", {}, toIt, ...(explorer.decode ? [half] : []), far);
  });
  const title = say("nearest_clusters");
  return [element("h3", {}, title), element("ol", { class: "near" }, ...items)];
}

/**
 * The columns of a table that tell a cluster from the rest, each with a strip of samples.
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {number} id
 * @param {number[]} rows
 */
function tellingColumns(explorer, pictures, id, rows) {
  const found = explorer.explained.columns?.[id] ?? [];
  if (!found.length) return [];
  const names = explorer.content.pictures.columns ?? [];
  const items = found.map(([column, difference, low, high]) => {
    const words =
      difference === null
        ? say("no_overlap")
        : say("difference", {
            difference: `${difference > 0 ? "+" : ""}${decimals(difference, 2)}`,
            low: decimals(low ?? 0, 2),
            high: decimals(high ?? 0, 2),
          });
    const name = names[Number(column)] ?? say("column_n", { n: Number(column) + 1 });
    const strip = stripOf(explorer, pictures, Number(column), new Set(rows));
    const line = element(
      "div",
      { class: "entry" },
      element("span", { class: "name", title: name }, name),
      element("span", { class: "count" }, words),
    );
    return element("li", {}, line, ...(strip ? [strip] : []));
  });
  return [
    element("h3", {}, say("what_differs")),
    element("ol", { class: "columns" }, ...items),
    element(
      "p",
      { class: "quiet" },
      say("difference_note"),
    ),
  ];
}

/**
 * A column's values, of the cluster above and of the rest below.
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {number} column
 * @param {Set<number>} inside
 */
function stripOf(explorer, pictures, column, inside) {
  const table = pictures.tables[explorer.cloudNumber];
  const n = explorer.cloud.n;
  if (!table) return null;
  const size = table.length / n;
  const step = Math.max(1, Math.floor(n / MOST_ON_STRIP));
  const values = Array.from({ length: n }, (_, row) => table[row * size + column]);
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const canvas = element("canvas", {
    class: "strip", "aria-hidden": "true",
    width: String(2 * STRIP_WIDTH), height: String(2 * STRIP_HEIGHT),
  });
  const ink = inkOf(canvas);
  ink.scale(2, 2);
  const [accent, quiet] = ["--accent", "--quiet"].map(styleValue);
  let k = 0;
  values.forEach((value, row) => {
    const isIn = inside.has(row);
    if (isIn ? k++ % Math.max(1, Math.floor(inside.size / MOST_ON_STRIP)) : row % step) return;
    ink.fillStyle = isIn ? accent : quiet;
    ink.globalAlpha = isIn ? 0.7 : 0.35;
    const x = 1 + ((value - least) / (most - least || 1)) * (STRIP_WIDTH - 3);
    ink.fillRect(x, isIn ? 1 : STRIP_HEIGHT / 2 + 1, 1.5, STRIP_HEIGHT / 2 - 2);
  });
  return canvas;
}

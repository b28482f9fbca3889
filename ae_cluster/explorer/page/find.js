// @ts-check
/** Samples by what they are called, and those that should be looked at again. */

import { byId, element, grouped, inputById, selectById } from "./dom.js";
import { nearestTo } from "./geometry.js";
import { means, say } from "./language.js";
import { drawSamples, sampleButton } from "./sample_list.js";
import { decimals, shortened } from "./text.js";

const MOST_FOUND = 20;
/** Characters by which ids are joined; no text that is typed into one line holds it. */
const BETWEEN = "\n";

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./pictures.js").Pictures} Pictures
 * @typedef {{rows: number[], words: (string | null)[]}} Found
 */

/**
 * The rows whose id, class or cluster holds a text, whatever its case.
 * @param {Explorer} explorer
 * @param {string} text
 */
export function rowsWith(explorer, text) {
  const wanted = text.trim().toLowerCase();
  const { cloud, clusters, content } = explorer;
  const names = explorer.names?.of(explorer.method.name) ?? [];
  if (!wanted) return [];
  const classes = content.classes.map((name) => name.toLowerCase().includes(wanted));
  const [, word, number] = /^(\D+?) ?(\d+)$/.exec(wanted) ?? [];
  const numbered = means("cluster", word) ? Number(number) : NaN;
  const wantedCluster = means("noise", wanted) ? -1 : numbered;
  const named = [...names].filter(([, name]) => name.toLowerCase().includes(wanted));
  const wantedClusters = new Set([wantedCluster, ...named.map(([id]) => id)]);
  const ids = idsOf(cloud);
  const rows = [];
  for (let row = 0; row < cloud.n; row++) {
    const label = cloud.labels ? cloud.labels[row] : -1;
    if (
      ids[row].includes(wanted) ||
      (label >= 0 && classes[label]) ||
      wantedClusters.has(clusters[row])
    ) {
      rows.push(row);
    }
  }
  return rows;
}

/** @type {WeakMap<object, string[]>} */
const lowered = new WeakMap();

/** @param {{ids: string[]}} cloud */
function idsOf(cloud) {
  const known = lowered.get(cloud);
  if (known) return known;
  // As one text, which is ten times as quick as one by one; some letters become two.
  const found = cloud.ids.join(BETWEEN).toLowerCase().split(BETWEEN);
  const ids = found.length === cloud.ids.length ? found : cloud.ids.map((id) => id.toLowerCase());
  lowered.set(cloud, ids);
  return ids;
}

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 */
export function listenToFind(explorer, pictures) {
  const [text, what] = [inputById("find"), selectById("find-what")];
  /** @type {number[]} */
  let rows = [];
  const show = () => {
    const found = what.value === "search" ? searchedFor(explorer, text.value) : toLookAt(explorer, what.value);
    rows = found.rows;
    text.disabled = what.value !== "search";
    byId("found").replaceChildren(
      ...found.rows.slice(0, MOST_FOUND).map((row, i) => foundItem(explorer, pictures, row, found.words[i])),
    );
    drawSamples(byId("found"), explorer, pictures);
    byId("found-words").textContent = foundSentence(explorer, found.rows.length, what.value, text.value);
    /** @type {HTMLButtonElement} */ (byId("select-found")).disabled = !rows.length;
  };
  text.addEventListener("focus", () => idsOf(explorer.cloud)); // so that the first letter finds at once
  text.addEventListener("input", show);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && rows.length) explorer.select(rows);
  });
  what.addEventListener("change", show);
  byId("select-found").addEventListener("click", () => explorer.select([...new Set(rows)]));
  explorer.whenever(["method", "samples", "names", "language"], show);
  explorer.whenever(["chosen"], () => {
    if (!explorer.chosen) return;
    what.value = "neighbours";
    show();
    byId("finding").scrollIntoView({ block: "nearest" });
  });
  explorer.whenever(["kept"], () => what.value === "neighbours" && show());
}

/** The dot whose neighbours are looked for: chosen, else kept last. @param {Explorer} explorer */
function dotToCompare({ chosen, kept, cloudNumber }) {
  const here = (/** @type {import("./looked_at.js").Dot} */ { cloud }) => cloud === cloudNumber;
  return chosen && here(chosen) ? chosen : kept.findLast(here);
}

/**
 * The samples with the nearest codes to a code.
 * @param {Explorer} explorer
 * @param {ArrayLike<number>} code
 * @param {number} without a row that is left out
 * @returns {Found}
 */
export function neighboursOf(explorer, code, without = -1) {
  const near = nearestTo(explorer.codes, explorer.space.size, code, MOST_FOUND, without);
  return {
    rows: near.map(({ row }) => row),
    words: near.map(({ row, distance }) => {
      const label = explorer.cloud.labels ? explorer.className(explorer.cloud.labels[row]) : "";
      const cluster = explorer.clusterName(explorer.clusters[row]);
      const words = { label, cluster, distance: distance.toPrecision(3) };
      return say(label ? "neighbour_labelled" : "neighbour", words);
    }),
  };
}

/**
 * @param {Explorer} explorer
 * @param {string} text
 * @returns {Found}
 */
function searchedFor(explorer, text) {
  const rows = rowsWith(explorer, text);
  return { rows, words: rows.slice(0, MOST_FOUND).map((row) => explorer.clusterName(explorer.clusters[row])) };
}

/**
 * The likely label errors, the near-duplicates or the neighbours of a dot.
 * @param {Explorer} explorer
 * @param {string} what
 * @returns {Found}
 */
function toLookAt(explorer, what) {
  if (what === "errors") {
    const { doubtful } = explorer.explained;
    return {
      rows: doubtful.map(([row]) => row),
      words: doubtful.map(([row, suggested, , p]) => {
        const label = explorer.className(explorer.cloud.labels?.[row] ?? -1);
        return say("label_contradicted", { label, other: explorer.className(suggested), value: decimals(p, 2) });
      }),
    };
  }
  if (what === "neighbours") {
    const dot = dotToCompare(explorer);
    return dot ? neighboursOf(explorer, explorer.codeOf(dot.row), dot.row) : { rows: [], words: [] };
  }
  const { pairs, ids } = explorer.cloud;
  return {
    rows: pairs.flatMap(([a, b]) => [a, b]),
    words: pairs.flatMap(([a, b, distance]) =>
      [b, a].map((other) => say(distance ? "like" : "same_as", { id: shortened(ids[other], 24) })),
    ),
  };
}

/**
 * @param {Explorer} explorer
 * @param {number} n
 * @param {string} what
 * @param {string} text
 */
function foundSentence(explorer, n, what, text) {
  if (what === "search" && !text.trim()) return say("find_hint");
  if (what === "neighbours") {
    const dot = dotToCompare(explorer);
    if (!dot) return say("neighbours_hint");
    return say("neighbours_found", { id: shortened(explorer.cloud.ids[dot.row], 40) });
  }
  if (!n) return say("found_none");
  const listed = n > MOST_FOUND ? say("first_listed", { n: MOST_FOUND }) : "";
  if (what === "errors") return say("found_errors", { n: grouped(n), listed });
  if (what === "pairs") return say("found_pairs", { n: grouped(n / 2), listed });
  return say("found_n", { n: grouped(n), all: grouped(explorer.cloud.n), listed });
}

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 * @param {number} row
 * @param {string | null | undefined} words
 */
export function foundItem(explorer, pictures, row, words) {
  const id = explorer.cloud.ids[row];
  return element(
    "li",
    {},
    sampleButton(explorer, pictures, row),
    element(
      "span",
      { class: "found-words" },
      element("span", { class: "name", title: id }, shortened(id, 36)),
      element("span", { class: "found-why" }, words ?? ""),
    ),
  );
}

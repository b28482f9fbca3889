// @ts-check
/** What is shown, and in which colours: the choices above the stage and the legend beside it. */

import {
  byId,
  element,
  fillSelect,
  grouped,
  refillSelect,
  selectById,
  swatch,
  wantsStillness,
} from "./dom.js";
import { say, translated } from "./language.js";
import { captionOf, cloudName, epochWords, filmSentence, summaryOf } from "./text.js";

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./looked_at.js").ColoringName} ColoringName
 */

/** @type {[ColoringName, import("./language.js").Key][]} */
const COLORINGS = [
  ["label", "color_label"],
  ["cluster", "color_cluster"],
  ["right", "color_right"],
  ["confidence", "color_confidence"],
  ["budget", "color_budget"],
  ["given", "color_given"],
  ["column", "color_column"],
];

/** @param {Explorer} explorer */
export function listenToChoices(explorer) {
  const { content } = explorer;
  const [samples, method, coloring] = ["samples", "method", "coloring"].map(selectById);
  byId("title").textContent = content.name;
  fillSelect(samples, content.clouds.map(cloudName));
  explorer.whenever(["language"], () => {
    byId("summary").textContent = summaryOf(content);
    refillSelect(samples, content.clouds.map(cloudName));
  });
  fillSelect(
    method,
    content.methods.map(({ name }) => name),
  );
  samples.addEventListener("change", () => explorer.showCloud(Number(samples.value)));
  method.addEventListener("change", () => explorer.showMethod(Number(method.value)));
  coloring.addEventListener("change", () =>
    explorer.colorBy(/** @type {ColoringName} */ (coloring.value)),
  );
  explorer.whenever(["samples", "method", "coloring", "labels", "language"], () => {
    samples.value = String(explorer.cloudNumber);
    method.value = String(explorer.methodNumber);
    coloring.replaceChildren(
      ...COLORINGS.filter(([name]) => explorer.canColorBy(name)).map(([name, words]) =>
        element("option", { value: name }, say(words)),
      ),
    );
    coloring.value = explorer.coloringName;
  });
  explorer.whenever(["samples", "method", "coloring", "film", "language"], () =>
    sayWhatIsShown(explorer),
  );
}

/** @param {Explorer} explorer */
function sayWhatIsShown(explorer) {
  const { cloud, method, coloringName, space, film, moment } = explorer;
  const words = captionOf(cloud, method, coloringName, translated(space.note));
  const isFilm = film && moment !== null;
  const epoch = isFilm ? film.epochs[Math.round(moment)] : 0;
  byId("caption").textContent = isFilm
    ? say("film_caption", {
        what: filmSentence(epoch, film.epochs[film.epochs.length - 1], film.n),
      })
    : words;
}

/** @param {Explorer} explorer */
export function listenToTheme(explorer) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = byId("theme");
  const set = (/** @type {boolean} */ isDark) => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    explorer.setTheme(isDark ? "dark" : "light");
  };
  explorer.whenever(["theme", "language"], () => {
    const isDark = explorer.theme === "dark";
    button.textContent = say(isDark ? "light" : "dark");
    button.setAttribute("aria-label", say(isDark ? "show_in_light" : "show_in_dark"));
  });
  dark.addEventListener("change", () => set(dark.matches));
  button.addEventListener("click", () => set(explorer.theme === "light"));
  set(dark.matches);
}

/** @param {Explorer} explorer */
export function listenToLegend(explorer) {
  explorer.whenever(["samples", "method", "coloring", "theme", "names", "language"], () => {
    const { legend, scale } = explorer.coloring;
    const { coloringName, columns } = explorer;
    const isColumn = coloringName === "column" && columns.column.kind === "category";
    const isGroups = coloringName === "label" || coloringName === "cluster" || isColumn;
    byId("legend").replaceChildren(
      ...(scale ? [scaleBar(scale)] : []),
      ...(isGroups ? [] : legend.map(({ name, color, n }) => legendEntry(name, color, n))),
    );
  });
  const kinds = /** @type {("label" | "cluster")[]} */ (["label", "cluster"]);
  explorer.whenever(["samples", "method", "coloring", "theme", "names", "language"], () => {
    byId("groups").replaceChildren(
      ...kinds.filter((kind) => explorer.canColorBy(kind)).map((kind) => groupList(explorer, kind)),
    );
  });
  explorer.whenever(["shown"], () => {
    for (const box of document.querySelectorAll("#groups input")) {
      const [, kind, id] = box.id.split(/-(label|cluster)-/);
      const hidden = explorer.hidden[/** @type {"label" | "cluster"} */ (kind)];
      /** @type {HTMLInputElement} */ (box).checked = !hidden.has(Number(id));
    }
  });
}

/** @param {NonNullable<import("./colors.js").Coloring["scale"]>} scale */
function scaleBar({ from, to, stops }) {
  const bar = element("div", { class: "scale" });
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  const ends = element(
    "div",
    { class: "scale-ends" },
    element("span", {}, from),
    element("span", {}, to),
  );
  return element("div", {}, bar, ends);
}

/**
 * @param {string} name
 * @param {string} color
 * @param {number} n
 */
function legendEntry(name, color, n) {
  return element(
    "p",
    { class: "entry" },
    swatch(color),
    element("span", { class: "name" }, name),
    element("span", { class: "count" }, grouped(n)),
  );
}

/**
 * The classes or clusters, each with a box to tick.
 * @param {Explorer} explorer
 * @param {"label" | "cluster"} kind
 */
function groupList(explorer, kind) {
  const { legend } = explorer.groupColoring(kind);
  const n = kind === "label" ? explorer.content.classes.length : explorer.method.n_clusters;
  const ids = legend.map((_, i) => (i < n ? i : -1));
  const isLabel = kind === "label";
  const all = (/** @type {boolean} */ isShown) => () => explorer.show(kind, ids, isShown);
  const open = explorer.coloringName === kind || !explorer.canColorBy("label");
  return element(
    "details",
    { open },
    element("summary", {}, say(isLabel ? "classes_n" : "clusters_n", { n })),
    element(
      "div",
      { class: "row" },
      element(
        "button",
        { type: "button", click: all(true), "aria-label": say(isLabel ? "show_all_classes" : "show_all_clusters") },
        say("all"),
      ),
      element(
        "button",
        { type: "button", click: all(false), "aria-label": say(isLabel ? "hide_all_classes" : "hide_all_clusters") },
        say("none"),
      ),
    ),
    element(
      "div",
      { class: "group-list" },
      ...legend.map(({ name, color, n: count }, i) =>
        tickBox(explorer, kind, ids[i], name, color, count),
      ),
    ),
  );
}

/**
 * @param {Explorer} explorer
 * @param {"label" | "cluster"} kind
 * @param {number} id
 * @param {string} name
 * @param {string} color
 * @param {number} count
 */
function tickBox(explorer, kind, id, name, color, count) {
  const box = element("input", {
    type: "checkbox",
    id: `show-${kind}-${id}`,
    checked: !explorer.hidden[kind].has(id),
    change: () => explorer.show(kind, [id], box.checked),
  });
  return element(
    "label",
    { class: "entry", title: name },
    box,
    swatch(color),
    element("span", { class: "name" }, name),
    element("span", { class: "count" }, grouped(count)),
  );
}

/**
 * The film of training: a slider over the saved epochs and a button that plays them.
 * @param {Explorer} explorer
 */
export function listenToFilm(explorer) {
  const play = byId("play");
  const slider = /** @type {HTMLInputElement} */ (byId("epoch"));
  let isPlaying = false;
  const last = () => (explorer.film?.epochs.length ?? 1) - 1;

  const advance =
    (/** @type {number} */ start, /** @type {number} */ from) => (/** @type {number} */ now) => {
      if (!isPlaying) return;
      const isStill = wantsStillness(); // then one picture after the other, nothing glides
      const seconds = isStill ? last() / 2 : Math.max(4, Math.min(12, last() / 6));
      const gone = from + (Math.max(0, now - start) / 1000 / seconds) * last();
      const moment = isStill ? Math.floor(gone) : gone;
      isPlaying = moment < last();
      explorer.showMoment(isPlaying ? moment : last());
      if (isPlaying) requestAnimationFrame(advance(start, from));
    };
  play.addEventListener("click", () => {
    isPlaying = !isPlaying;
    const from = explorer.moment === null || explorer.moment >= last() ? 0 : explorer.moment;
    if (isPlaying) {
      explorer.showMoment(from);
      requestAnimationFrame((now) => advance(now, from)(now));
    } else explorer.tell("film");
  });
  slider.addEventListener("input", () => {
    isPlaying = false;
    explorer.showMoment(Number(slider.value));
  });
  byId("end").addEventListener("click", () => {
    isPlaying = false;
    explorer.showMoment(null);
  });
  explorer.whenever(["film", "method", "samples", "language"], () => {
    const { film, moment } = explorer;
    byId("film").hidden = film === null;
    if (!film) return;
    if (moment === null) isPlaying = false;
    slider.max = String(last());
    slider.value = String(moment ?? last());
    play.textContent = say(isPlaying ? "pause" : "play");
    const epoch = film.epochs[Math.round(moment ?? last())];
    slider.setAttribute("aria-valuetext", filmSentence(epoch, film.epochs[last()], film.n));
    byId("epoch-words").textContent =
      moment === null ? say("end_of_training") : epochWords(epoch, film.epochs[last()]);
    byId("end").hidden = moment === null;
  });
}

// @ts-check
/** What is looked at now, and who wants to know when that changes. Knows nothing of elements. */

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
import { Columns } from "./columns.js";
import { framePlaces, placeOf } from "./content.js";
import { between } from "./geometry.js";
import { Labels } from "./labels.js";

/**
 * @typedef {"samples" | "method" | "coloring" | "shown" | "theme" | "selection" | "kept"
 *   | "cursor" | "film" | "hover" | "tool" | "labels" | "target"} Change
 * @typedef {"label" | "cluster" | "right" | "confidence" | "budget" | "given"
 *   | "column"} ColoringName
 * @typedef {{cloud: number, row: number}} Dot
 */

const A_MOMENT = 100; // milliseconds

/** The state of the page. Change it by its methods only: they tell those who listen. */
export class Explorer {
  /** @param {import("./content.js").Content} content */
  constructor(content) {
    this.content = content;
    this.cloudNumber = 0;
    this.methodNumber = 0;
    /** @type {ColoringName} */
    this.coloringName = content.clouds[0].labels ? "label" : "cluster";
    /** @type {"light" | "dark"} */
    this.theme = "light";
    this.hidden = { label: new Set([NaN]), cluster: new Set([NaN]) };
    this.showAll();
    /** @type {Set<number> | null} */
    this.selected = null;
    this.cell = ""; // of the confusion matrix, where that is what is selected
    this.hovered = -1;
    /** @type {Dot[]} */
    this.kept = [];
    /** @type {number | null} frame of the film, with a fraction; null: the end of training */
    this.moment = null;
    this.cursor = this.codeInTheMiddle();
    this.showsCursor = false;
    /** @type {ArrayLike<number>[]} the two ends of the walk, as codes, while there is one */
    this.walk = [];
    this.tool = "turn";
    this.columns = new Columns(content.pictures);
    this.labels = new Labels(content.labelling);
    this.later = 0; // what is told a moment later
    this.target = -1; // the row that is to be labelled next, where one is suggested
    /** @type {[Set<Change>, () => void][]} */
    this.listeners = [];
  }

  /**
   * Act now, and again after each of these changes.
   * @param {Change[]} changes
   * @param {() => void} act
   */
  whenever(changes, act) {
    this.listeners.push([new Set(changes), act]);
    act();
  }

  /** @param {...Change} changes */
  tell(...changes) {
    for (const [wanted, act] of this.listeners) {
      if (changes.some((change) => wanted.has(change))) act();
    }
  }

  // What is there

  get cloud() {
    return this.content.clouds[this.cloudNumber];
  }

  get method() {
    return this.content.methods[this.methodNumber];
  }

  get space() {
    return this.content.spaces[this.method.space];
  }

  get codes() {
    return this.space.codes[this.cloudNumber];
  }

  get clusters() {
    return this.method.clusters[this.cloudNumber];
  }

  /** What is said of the clusters and the labels of the samples shown. */
  get explained() {
    return this.method.explained[this.cloudNumber];
  }

  get decode() {
    const { decoder } = this.method;
    return decoder === null ? null : this.content.decoders[decoder];
  }

  /** The film of this method, and the samples in which it can be seen; null if none was kept. */
  get film() {
    const { film } = this.space;
    const cloud = film ? this.content.clouds.findIndex(({ n_train: n }) => n >= film.n) : -1;
    return film && cloud >= 0 ? { ...film, cloud } : null;
  }

  /** Places of all dots now: of the film's frame, where one is shown. */
  get places() {
    const final = this.space.places[this.cloudNumber];
    if (this.moment === null || !this.film) return final;
    const places = final.slice();
    places.set(framePlaces(this.film, this.moment));
    return places;
  }

  /** @param {number} row */
  codeOf(row) {
    const { size } = this.space;
    return this.codes.slice(row * size, (row + 1) * size);
  }

  /** @param {number} row */
  isShown(row) {
    const label = this.cloud.labels ? this.cloud.labels[row] : -1;
    if (!this.columns.isShown(this.cloudNumber, row)) return false;
    if (this.moment !== null && row >= (this.film?.n ?? 0)) return false;
    return !this.hidden.label.has(label) && !this.hidden.cluster.has(this.clusters[row]);
  }

  shownRows() {
    return [...Array(this.cloud.n).keys()].filter((row) => this.isShown(row));
  }

  /** @param {number} id */
  className(id) {
    return id < 0 ? "no label" : this.content.classes[id];
  }

  /** @param {number} id */
  clusterName(id) {
    const match = this.method.class_of_cluster?.[id] ?? -1;
    if (id < 0) return "noise";
    return match < 0 ? String(id) : `${id} → ${this.className(match)}`;
  }

  get clusterNames() {
    return this.method.colors.cluster
      .slice(0, this.method.n_clusters)
      .map((_, id) => this.clusterName(id));
  }

  /** The colours of classes or clusters in this theme. @param {"label" | "cluster"} kind */
  groupColors(kind) {
    return this.method.colors[this.theme === "dark" ? `${kind}-dark` : kind] ?? [];
  }

  /** @param {ColoringName} name */
  canColorBy(name) {
    const { labels, budget } = this.cloud;
    if (name === "label") return labels !== null;
    if (name === "right") return labels !== null && this.method.class_of_cluster !== null;
    if (name === "confidence") return this.method.confidence[this.cloudNumber] !== null;
    if (name === "given") return this.labels.given.size > 0;
    if (name === "column") return this.columns.has(this.cloudNumber);
    return name === "cluster" || budget !== null;
  }

  /** @returns {import("./colors.js").Coloring} */
  get coloring() {
    const { labels, budget } = this.cloud;
    const { class_of_cluster: classOfCluster } = this.method;
    const shares = this.method.confidence[this.cloudNumber];
    const name = this.coloringName;
    if (name === "right" && labels && classOfCluster) {
      return byOutcome(labels, this.clusters, classOfCluster, this.theme);
    }
    if (name === "confidence" && shares) return byShare(shares, this.theme);
    if (name === "budget" && budget) return byBudget(budget, this.theme);
    if (name === "given") return this.givenColoring();
    if (name === "column") {
      return byNumber(this.columns.values(this.cloudNumber, this.cloud.n), this.theme);
    }
    return this.groupColoring(name === "label" && labels ? "label" : "cluster");
  }

  /** By the labels given in this page; classes of the data have their own colours. */
  givenColoring() {
    const { names, given } = this.labels;
    const known = this.groupColors("label");
    const colors = names.map((_, i) => known[i] ?? someColor(i, this.theme));
    const place = new Map(names.map((name, i) => [name, i]));
    const ids = this.cloud.ids.map((id) => place.get(given.get(id) ?? "") ?? -1);
    return byGroup(ids, colors, names, this.theme, "not labelled");
  }

  /**
   * @param {"label" | "cluster"} kind
   * @returns {import("./colors.js").Coloring}
   */
  groupColoring(kind) {
    const labels = this.cloud.labels ?? new Int32Array(this.cloud.n).fill(-1);
    const [ids, names, none] =
      kind === "label"
        ? [labels, this.content.classes, "no label"]
        : [this.clusters, this.clusterNames, "noise"];
    return byGroup(ids, this.groupColors(kind), names, this.theme, none);
  }

  /**
   * Whether a dot stands back: it is not of the selection; or has no label, where these are shown.
   * @param {number} row
   */
  isFaded(row) {
    if (this.selected) return !this.selected.has(row);
    return this.coloringName === "given" && !this.labels.given.has(this.cloud.ids[row]);
  }

  /** Red, green, blue and how much it is shown, of every dot. */
  get paint() {
    const { of } = this.coloring;
    const paint = new Uint8Array(4 * this.cloud.n);
    for (let row = 0; row < this.cloud.n; row++) {
      paint.set(of(row), 4 * row);
      paint[4 * row + 3] = !this.isShown(row) ? HIDDEN : this.isFaded(row) ? FADED : SHOWN;
    }
    return paint;
  }

  codeInTheMiddle() {
    const { size } = this.space;
    return this.meanCode([...Array(this.cloud.n).keys()]) ?? new Float32Array(size);
  }

  /** @param {number[]} rows */
  meanCode(rows) {
    const { size } = this.space;
    if (!rows.length) return null;
    const sums = new Float32Array(size);
    for (const row of rows) {
      for (let d = 0; d < size; d++) sums[d] += this.codes[row * size + d] / rows.length;
    }
    return sums;
  }

  get cursorPlace() {
    return placeOf(this.cursor, this.space);
  }

  // What can be done

  /**
   * @param {number} number
   * @param {number | null} moment of the film
   */
  showCloud(number, moment = null) {
    this.cloudNumber = number;
    this.moment = moment;
    this.hovered = -1;
    this.selected = null;
    this.cell = "";
    if (!this.canColorBy(this.coloringName)) this.coloringName = "cluster";
    this.tell("samples", "coloring", "shown", "film", "hover", "selection");
  }

  /** @param {number} number */
  showMethod(number) {
    const space = this.space;
    this.methodNumber = number;
    this.hidden.cluster.clear();
    this.cell = "";
    if (!this.canColorBy(this.coloringName)) this.coloringName = "cluster";
    if (this.space !== space) {
      this.moment = null;
      this.walk = [];
      this.cursor = this.codeInTheMiddle();
    }
    this.tell("method", "coloring", "shown", "film", "cursor");
  }

  /** @param {ColoringName} name */
  colorBy(name) {
    const withBudget = this.content.clouds.findIndex(({ budget }) => budget?.some((b) => b > 0));
    if (name === "budget" && withBudget >= 0 && !this.cloud.budget?.some((b) => b > 0)) {
      this.coloringName = name;
      return this.showCloud(withBudget);
    }
    this.coloringName = name;
    this.tell("coloring");
  }

  /** @param {number} column of a table */
  colorByColumn(column) {
    this.columns.number = column;
    this.columns.range = null;
    this.coloringName = "column";
    this.tell("coloring", "shown");
  }

  /** @param {[number, number] | null} range of the column; null shows all */
  showWithin(range) {
    this.columns.range = range;
    this.tell("shown");
  }

  /** @param {"light" | "dark"} theme */
  setTheme(theme) {
    this.theme = theme;
    this.tell("theme");
  }

  /**
   * @param {"label" | "cluster"} kind
   * @param {number[]} ids
   * @param {boolean} isShown
   */
  show(kind, ids, isShown) {
    for (const id of ids) {
      if (isShown) this.hidden[kind].delete(id);
      else this.hidden[kind].add(id);
    }
    this.tell("shown");
  }

  showAll() {
    this.hidden.label.clear();
    this.hidden.cluster.clear();
  }

  /**
   * @param {number[] | null} rows
   * @param {string} cell of the confusion matrix that they are all of, if they are
   */
  select(rows, cell = "") {
    this.selected = rows && new Set(rows);
    this.cell = cell;
    this.tell("selection");
  }

  /** @param {number} row −1 for none */
  hover(row) {
    if (row === this.hovered) return;
    this.hovered = row;
    this.tell("hover");
  }

  /**
   * Label samples that are shown; undefined takes their labels away.
   * @param {number[]} rows
   * @param {string | undefined} name of a class
   */
  label(rows, name) {
    this.takeLabels(rows.map((row) => [this.cloud.ids[row], name]));
  }

  /** @param {[string, string | undefined][]} pairs of ids and names of classes, in one step */
  takeLabels(pairs) {
    this.labels.give(pairs);
    this.tellLabels();
  }

  /** Undo the last step of labelling; the ids that it was of. */
  undoLabels() {
    const ids = this.labels.undo();
    if (ids) this.tellLabels();
    return ids ?? [];
  }

  /**
   * Tell of labels that changed; and of the colours where these show them, but a moment later:
   * to draw all dots takes longer than to label one.
   */
  tellLabels() {
    const isShown = this.coloringName === "given";
    if (isShown && !this.canColorBy("given")) this.coloringName = "cluster";
    this.tell("labels");
    clearTimeout(this.later);
    if (isShown) this.later = setTimeout(() => this.tell("coloring"), A_MOMENT);
  }

  /** @param {number} row −1 for none */
  aimAt(row) {
    this.target = row;
    this.tell("target");
  }

  /** @param {number} row */
  keep(row) {
    const dot = { cloud: this.cloudNumber, row };
    const isNew = !this.kept.some((other) => other.cloud === dot.cloud && other.row === row);
    if (isNew) this.kept = [...this.kept, dot];
    this.tell("kept");
  }

  /** @param {Dot} dot */
  forget(dot) {
    this.kept = this.kept.filter((other) => other !== dot);
    this.tell("kept");
  }

  /** @param {ArrayLike<number>} code */
  moveCursor(code) {
    this.cursor = Float32Array.from(code);
    this.showsCursor = true;
    this.tell("cursor");
  }

  /**
   * Put the cursor somewhere on the straight line between two codes.
   * @param {ArrayLike<number>} from
   * @param {ArrayLike<number>} to
   * @param {number} share of the way
   */
  walkTo(from, to, share) {
    this.walk = [from, to];
    this.moveCursor(between(from, to, share));
  }

  /** @param {string} tool */
  setTool(tool) {
    this.tool = tool;
    if (tool === "cursor") this.showsCursor = true;
    this.tell("tool");
  }

  /** Undo the last thing pointed at: the dot, else the selection, else the cursor. */
  letGo() {
    if (this.hovered >= 0) return this.hover(-1);
    if (this.selected) return this.select(null);
    this.showsCursor = false;
    this.tell("cursor");
  }

  /** @param {number | null} moment */
  showMoment(moment) {
    if (!this.film) return;
    const { cloud } = this.film;
    if (this.cloudNumber !== cloud) return this.showCloud(cloud, moment);
    this.moment = moment;
    this.tell("film");
  }
}

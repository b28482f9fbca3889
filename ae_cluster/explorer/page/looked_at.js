// @ts-check
/** What is looked at now, and what is known of it. Knows nothing of elements. */

import { canColor, coloringOf, columnColoringOf, groupColoringOf, paintOf } from "./coloring.js";
import { ClusterNames } from "./cluster_names.js";
import { Columns } from "./columns.js";
import { framePlaces, placeOf } from "./content.js";
import { meanOfRows } from "./geometry.js";
import { Labels } from "./labels.js";
import { say, spoken } from "./language.js";

/**
 * @typedef {"samples" | "method" | "coloring" | "shown" | "theme" | "selection" | "kept"
 *   | "cursor" | "film" | "hover" | "tool" | "labels" | "target" | "language" | "chosen" | "image"
 *   | "names"} Change
 * @typedef {"label" | "cluster" | "right" | "confidence" | "budget" | "given"
 *   | "column"} ColoringName
 * @typedef {{cloud: number, row: number}} Dot
 */

/** What is shown, pointed at, kept and labelled, and what follows from it. */
export class LookedAt {
  /** @param {import("./content.js").Content} content */
  constructor(content) {
    this.content = content;
    this.cloudNumber = 0;
    this.methodNumber = 0;
    /** @type {ColoringName} */
    this.coloringName = content.clouds[0].labels ? "label" : "cluster";
    /** @type {"light" | "dark"} */
    this.theme = "light";
    /** @type {{label: Set<number>, cluster: Set<number>}} */
    this.hidden = { label: new Set(), cluster: new Set() };
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
    this.columns = new Columns(content.pictures, content.described);
    this.labels = new Labels(content.labelling);
    this.names = new ClusterNames();
    this.later = 0; // what is told a moment later
    /** @type {Dot | null} whose neighbours are looked for */
    this.chosen = null;
    /** @type {import("./placed_image.js").PlacedImage | null} a user's, among the dots */
    this.image = null;
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

  get language() {
    return spoken.language;
  }

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

  /** From an image to its code, where the encoder is here. */
  get encode() {
    const { encoder } = this.method;
    return encoder === null ? null : this.content.encoders[encoder];
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
    return id < 0 ? say("no_label") : this.content.classes[id];
  }

  /** @param {number} id */
  clusterName(id) {
    const own = this.names.called(this.method.name, id, id < 0 ? say("noise") : String(id));
    if (own) return own;
    const match = this.method.class_of_cluster?.[id] ?? -1;
    if (id < 0) return say("noise");
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

  /** Whether there is something to colour by. @param {ColoringName} name */
  canColorBy(name) {
    return canColor(this, name);
  }

  get coloring() {
    return coloringOf(this);
  }

  /** @param {"label" | "cluster"} kind */
  groupColoring(kind) {
    return groupColoringOf(this, kind);
  }

  columnColoring() {
    return columnColoringOf(this);
  }

  /** Red, green, blue and how much it is shown, of every dot. */
  get paint() {
    return paintOf(this);
  }

  codeInTheMiddle() {
    const { size } = this.space;
    return this.meanCode([...Array(this.cloud.n).keys()]) ?? new Float32Array(size);
  }

  /** @param {number[]} rows */
  meanCode(rows) {
    return meanOfRows(this.codes, this.space.size, rows);
  }

  get cursorPlace() {
    return placeOf(this.cursor, this.space);
  }
}

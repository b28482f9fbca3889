// @ts-check
/** What can be done with what is looked at. Knows nothing of elements. */

import { between } from "./geometry.js";
import { spoken } from "./language.js";
import { LookedAt } from "./looked_at.js";

/**
 * @typedef {import("./looked_at.js").ColoringName} ColoringName
 * @typedef {import("./looked_at.js").Dot} Dot
 */

const A_MOMENT = 100; // milliseconds

/** The state of the page. Change it by these methods only: they tell those who listen. */
export class Explorer extends LookedAt {
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
    this.columns.showAll();
    this.coloringName = "column";
    this.tell("coloring", "shown");
  }

  /** @param {[number, number] | null} range of the column; null shows all */
  showWithin(range) {
    this.columns.showAll();
    this.columns.range = range;
    this.tell("shown");
  }

  /** @param {number} id of a category of the column, −1 for none @param {boolean} isShown */
  showCategory(id, isShown) {
    if (isShown) this.columns.without.delete(id);
    else this.columns.without.add(id);
    this.tell("shown");
  }

  /** @param {string} text that the column must hold */
  showWithText(text) {
    this.columns.text = text;
    this.tell("shown", ...(this.coloringName === "column" ? /** @type {const} */ (["coloring"]) : []));
  }

  /** @param {"light" | "dark"} theme */
  setTheme(theme) {
    this.theme = theme;
    this.tell("theme");
  }

  /** @param {import("./language.js").Language} language */
  setLanguage(language) {
    spoken.language = language;
    this.tell("language");
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

  /** @param {Map<number, string>} names of the clusters by the method shown */
  nameClusters(names) {
    this.names.replace(this.method.name, names);
    this.tell("names");
  }

  /** @param {number} id @param {string} name "" takes it away */
  nameCluster(id, name) {
    this.names.give(this.method.name, id, name);
    this.tell("names");
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

  /** @param {Dot} dot whose neighbours are to be listed */
  choose(dot) {
    this.chosen = dot;
    this.tell("chosen");
  }

  /** @param {import("./placed_image.js").PlacedImage | null} image null takes it away */
  placeImage(image) {
    this.image = image;
    this.tell("image");
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

// @ts-check
/** The stage: the dots and what is drawn over them, redrawn when something changed. */

import { byId, canvasById, styleValue } from "./dom.js";
import { dotAt, eyeOf, extentOf, firstView, isInside, onScreen, screenAxes, zoomed } from "./geometry.js";
import { translated } from "./language.js";
import { shortened } from "./text.js";
import { drawOverlay } from "./overlay.js";
import { Pen } from "./pen.js";
import { placedIn } from "./placed_image.js";
import { Scene } from "./scene.js";
import { placeOf } from "./content.js";

const MOST_NAMES = 24;
const [FEW, FIRST_MOST] = [10_000, 20_000]; // dots: fewer are always all drawn
const FRAME = 40; // milliseconds that dots may take while the eye moves
const REST = 250; // milliseconds after which all dots are drawn
const MOST_FOR_MIDDLES = 50_000; // dots by which a group's middle is found

/** Where the dots are seen. Coordinates are pixels from the stage's upper left corner. */
export class Stage {
  /** @param {import("./state.js").Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    this.box = byId("stage");
    this.scene = newScene(canvasById("points"));
    this.places = explorer.places;
    this.extent = extentOf(this.places);
    this.isFlat = explorer.space.axes.length < 3;
    this.view = firstView(this.extent, this.isFlat);
    this.pen = new Pen();
    this.wasAsked = false;
    this.areDotsOld = false;
    this.isMoving = false;
    this.isThinned = false; // whether some dots may not be drawn now
    this.rest = 0; // when the eye will have come to rest
    this.most = FIRST_MOST; // dots that are drawn while it moves
    /** @type {(() => void)[]} */
    this.whenDrawn = [];
    /** @type {import("./overlay.js").Named[]} */
    this.names = [];
    this.space = explorer.space;
    /** @type {Float32Array | null} */
    this.seen = null;
    this.listen();
  }

  listen() {
    const { explorer } = this;
    new ResizeObserver(() => this.fit()).observe(this.box);
    explorer.whenever(["samples", "method", "film"], () => this.takePlaces());
    explorer.whenever(
      ["samples", "method", "film", "coloring", "shown", "selection", "theme"],
      () => this.takeColors(),
    );
    explorer.whenever(["names"], () => {
      this.names = this.namesNow();
      this.askOver();
    });
    explorer.whenever(["kept", "cursor", "hover", "target", "image", "language"], () => this.askOver());
    explorer.whenever(["tool"], () => {
      this.pen.putAway();
      this.askOver();
    });
  }

  fit() {
    const { width, height } = this.size;
    if (this.scene?.setSize(width, height, this.ratio)) this.draw();
  }

  get size() {
    return { width: this.box.clientWidth || 1, height: this.box.clientHeight || 1 };
  }

  get ratio() {
    return Math.min(window.devicePixelRatio || 1, 2);
  }

  takePlaces() {
    const { explorer } = this;
    this.places = explorer.places;
    this.scene?.setPlaces(this.places);
    if (this.space !== explorer.space) {
      this.space = explorer.space;
      this.isFlat = explorer.space.axes.length < 3;
      this.extent = extentOf(this.places);
      this.view = firstView(this.extent, this.isFlat);
    }
    this.ask();
  }

  takeColors() {
    this.scene?.setGround(styleValue("--ground"));
    this.scene?.setColors(this.explorer.paint);
    this.names = this.namesNow();
    this.ask();
  }

  /** @param {import("./geometry.js").View} view */
  lookFrom(view) {
    this.view = view;
    this.isMoving = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.isMoving = false;
      if (this.isThinned) this.ask();
    }, REST);
    this.ask();
  }

  reset() {
    this.lookFrom(firstView(this.extent, this.isFlat));
  }

  /** Draw soon, however often it is asked for. */
  ask() {
    this.areDotsOld = true;
    this.askOver();
  }

  /** Draw soon what lies over the dots: without a graphics card they take most of a frame. */
  askOver() {
    if (this.wasAsked) return;
    this.wasAsked = true;
    requestAnimationFrame(() => this.draw(this.areDotsOld, this.isMoving));
  }

  /**
   * @param {boolean} withDots or what lies over them alone
   * @param {boolean} isMoving then of many dots only as many are drawn as there is time for
   */
  draw(withDots = true, isMoving = false) {
    this.wasAsked = false;
    if (!this.scene) return;
    const { width, height } = this.size;
    if (withDots) {
      this.areDotsOld = false;
      this.seen = null;
      this.scene.look(this.view, this.extent.radius);
      this.isThinned = isMoving && this.scene.n > FEW;
      if (this.isThinned) this.drawInTime(this.scene);
      else this.scene.draw();
    }
    drawOverlay(canvasById("overlay"), width, height, this.ratio, this.marks());
    for (const act of this.whenDrawn) act();
  }

  /**
   * Draw some of the dots, and learn from the time it took how many may be drawn next.
   * @param {Scene} scene
   */
  drawInTime(scene) {
    const taken = scene.drawSome(this.most);
    const factor = Math.max(0.5, Math.min(2, FRAME / Math.max(1, taken)));
    this.most = Math.max(FEW, Math.min(scene.n, Math.round(this.most * factor)));
  }

  /** @returns {import("./overlay.js").Marks} */
  marks() {
    const { explorer, extent } = this;
    const placed = placedIn(explorer);
    const at = (/** @type {number} */ row) => [...this.places.slice(3 * row, 3 * row + 3)];
    const here = explorer.kept
      .map(({ cloud, row }, i) => ({ cloud, row, mark: String(i + 1) }))
      .filter(({ cloud, row }) => cloud === explorer.cloudNumber && explorer.isShown(row));
    return {
      matrix: this.matrix,
      axes: explorer.space.axes.map(translated),
      directions: screenAxes(this.view),
      names: this.names,
      hovered: explorer.hovered < 0 ? null : at(explorer.hovered),
      target: explorer.target < 0 || explorer.moment !== null ? null : at(explorer.target),
      kept: here.map(({ row, mark }) => ({ place: at(row), mark })),
      image: placed && explorer.moment === null ? placeOf(placed.code, explorer.space) : null,
      cursor: explorer.showsCursor ? explorer.cursorPlace : null,
      walk: explorer.showsCursor ? explorer.walk.map((code) => placeOf(code, explorer.space)) : [],
      reach: 0.12 * extent.radius,
      outline: this.pen.outline,
      pen: this.pen.place,
    };
  }

  get matrix() {
    return this.scene ? this.scene.matrix : [];
  }

  /** Where all dots are on the stage. */
  get dots() {
    const { width, height } = this.size;
    this.seen ??= onScreen(this.places, this.matrix, width, height);
    return this.seen;
  }

  /**
   * @param {number[]} place
   * @returns {[number, number]}
   */
  pixelOf(place) {
    const { width, height } = this.size;
    const seen = onScreen(place, this.matrix, width, height);
    return [seen[0], seen[1]];
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  pick(x, y) {
    return this.scene ? dotAt(this.dots, (row) => this.explorer.isShown(row), x, y) : -1;
  }

  /** @param {[number, number][]} polygon */
  rowsInside(polygon) {
    const { dots, explorer } = this;
    return explorer
      .shownRows()
      .filter((row) => isInside(dots[3 * row], dots[3 * row + 1], polygon));
  }

  /**
   * Select what lies inside, if that is an outline at all.
   * @param {[number, number][]} outline
   */
  selectInside(outline) {
    if (outline.length > 2) this.explorer.select(this.rowsInside(outline));
  }

  /**
   * Nearer, or with a factor below 1 further away.
   * @param {number} factor
   */
  zoom(factor) {
    this.lookFrom(zoomed(this.view, factor, this.extent.radius));
  }

  /** How far a pixel is at the cursor, in the units of the code. */
  get pixelThere() {
    const eye = eyeOf(this.view);
    const place = this.explorer.cursorPlace;
    const distance = Math.hypot(...place.map((value, i) => value - eye[i]));
    return (0.63 * distance) / this.size.height;
  }

  /** The names of the groups by which the dots are coloured, each at its group's middle. */
  namesNow() {
    const { explorer, places } = this;
    const kind = explorer.coloringName;
    if (kind !== "label" && kind !== "cluster") return [];
    const ids = kind === "label" ? explorer.cloud.labels : explorer.clusters;
    const names = kind === "label" ? explorer.content.classes : explorer.clusterNames;
    if (!ids || names.length > MOST_NAMES) return [];
    /** @type {number[][]} */
    const rows = names.map(() => []);
    const step = Math.ceil(ids.length / MOST_FOR_MIDDLES);
    for (let row = 0; row < ids.length; row += step) {
      if (ids[row] >= 0 && explorer.isShown(row)) rows[ids[row]].push(row);
    }
    return names.flatMap((name, id) =>
      rows[id].length ? [{ name: shortened(name), place: medianPlace(places, rows[id]) }] : [],
    );
  }
}

/** @param {HTMLCanvasElement} canvas */
function newScene(canvas) {
  try {
    return new Scene(canvas);
  } catch {
    byId("no-webgl").hidden = false;
    return null;
  }
}

/**
 * @param {Float32Array} places
 * @param {number[]} rows
 */
function medianPlace(places, rows) {
  return [0, 1, 2].map((axis) => {
    const values = new Float32Array(rows.length);
    for (let i = 0; i < rows.length; i++) values[i] = places[3 * rows[i] + axis];
    values.sort();
    return values[values.length >> 1];
  });
}

// @ts-check
/** Which sample to label next: typical ones as the page was given them, then the least sure. */

/** @typedef {import("./state.js").Explorer} Explorer */

/** A place in the order of suggestions, for the samples and the method that are shown. */
export class Suggestions {
  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
    /** @type {number[]} rows, those to be labelled first in front */
    this.order = [];
    this.nTypical = 0;
    this.place = 0;
    this.start();
  }

  /** Begin anew: the order is of the samples and codes that are shown. */
  start() {
    const { space, cloudNumber } = this.explorer;
    this.order = [...space.suggested[cloudNumber]];
    this.nTypical = this.order.length;
    this.place = -1;
    this.next();
  }

  /** The row to label, −1 where there is none left. */
  get row() {
    return this.order[this.place] ?? -1;
  }

  get isTypical() {
    return this.place < this.nTypical;
  }

  /** @param {number} place */
  isLabelled(place) {
    const { labels, cloud } = this.explorer;
    return labels.given.has(cloud.ids[this.order[place]]);
  }

  /** Go on to the next that has no label, at the end to those that were skipped. */
  next() {
    const after = this.free(this.place + 1);
    if (after >= 0) this.place = after;
    else this.place = this.free(0) >= 0 ? this.free(0) : this.order.length;
  }

  /** @param {number} from */
  free(from) {
    for (let place = from; place < this.explorer.cloud.n; place++) {
      if (place >= this.order.length) this.goOn();
      if (!this.isLabelled(place)) return place;
    }
    return -1;
  }

  /** Put the samples that are not typical behind those that are, the least sure first. */
  goOn() {
    const { cloud, method, cloudNumber } = this.explorer;
    const sure = method.confidence[cloudNumber];
    const isFirst = new Set(this.order);
    const rest = [...Array(cloud.n).keys()].filter((row) => !isFirst.has(row));
    if (sure) rest.sort((a, b) => sure[a] - sure[b] || a - b);
    this.order.push(...rest);
  }

  /** Go back to the one before, with or without a label. */
  back() {
    this.place = Math.max(0, this.place - 1);
  }

  /** @param {string} id */
  goTo(id) {
    const place = this.order.findIndex((row) => this.explorer.cloud.ids[row] === id);
    if (place >= 0) this.place = place;
  }
}

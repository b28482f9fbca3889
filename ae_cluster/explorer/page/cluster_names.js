// @ts-check
/** The names that the user gives clusters, by method. Knows nothing of elements. */

/** What is said before a name, so that names alike can be told apart. */
const AFTER_NUMBER = ": ";

export class ClusterNames {
  constructor() {
    /** @type {Map<string, Map<number, string>>} */
    this.given = new Map();
  }

  /** @param {string} method */
  of(method) {
    return this.given.get(method) ?? new Map();
  }

  /**
   * What a cluster with a name is called; "" where it has none.
   * @param {string} method
   * @param {number} id
   * @param {string} number what it is called otherwise
   */
  called(method, id, number) {
    const name = this.of(method).get(id);
    return name === undefined ? "" : number + AFTER_NUMBER + name;
  }

  /**
   * @param {string} method
   * @param {number} id
   * @param {string} name "" takes it away
   */
  give(method, id, name) {
    const names = new Map(this.of(method));
    if (name) names.set(id, name);
    else names.delete(id);
    this.replace(method, names);
  }

  /**
   * @param {string} method
   * @param {Map<number, string>} names
   */
  replace(method, names) {
    if (names.size) this.given.set(method, names);
    else this.given.delete(method);
  }

  /** What is kept between visits. */
  get text() {
    return JSON.stringify([...this.given].map(([method, names]) => [method, [...names]]));
  }

  /**
   * Take what was kept in place of all that is here.
   * @param {string} text
   */
  restore(text) {
    const kept = /** @type {[unknown, [unknown, unknown][]][]} */ (JSON.parse(text));
    const found = kept.map(([method, names]) => /** @type {const} */ ([
      String(method),
      new Map(names.map(([id, name]) => [Number(id), String(name)])),
    ]));
    this.given = new Map(found);
  }
}

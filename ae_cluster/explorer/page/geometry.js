// @ts-check
/** Places, the eye that looks at them, and where they come to lie on the screen. */

/**
 * @typedef {[number, number, number]} Place
 * @typedef {{azimuth: number, elevation: number, distance: number, target: Place}} View
 * @typedef {{low: number[], high: number[], middle: Place, radius: number}} Extent
 */

export const FIRST_DISTANCE = 3.3; // radii
/** @type {Record<string, [number, number]>} right and up of each arrow key */
export const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};
const STEEPEST = 1.55; // just short of straight up, where left and right would flip

/**
 * Where most places lie: a few far away do not make the rest small.
 * @param {Float32Array} places x, y, z one after the other
 * @returns {Extent}
 */
export function extentOf(places) {
  const n = places.length / 3;
  const low = [0, 0, 0];
  const high = [0, 0, 0];
  const middle = /** @type {Place} */ ([0, 0, 0]);
  for (let axis = 0; axis < 3; axis++) {
    const values = new Float32Array(n);
    for (let i = 0; i < n; i++) values[i] = places[3 * i + axis];
    values.sort();
    low[axis] = values[0];
    high[axis] = values[n - 1];
    const [start, end] = [values[Math.floor(0.01 * (n - 1))], values[Math.ceil(0.99 * (n - 1))]];
    middle[axis] = (start + end) / 2;
  }
  const distances = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const [x, y, z] = middle;
    distances[i] = Math.hypot(places[3 * i] - x, places[3 * i + 1] - y, places[3 * i + 2] - z);
  }
  distances.sort();
  return { low, high, middle, radius: distances[Math.ceil(0.98 * (n - 1))] || 1 };
}

/**
 * @param {Extent} extent
 * @param {boolean} isFlat
 * @returns {View}
 */
export function firstView({ middle, radius }, isFlat) {
  const [azimuth, elevation] = isFlat ? [-Math.PI / 2, STEEPEST] : [-1.05, 0.35];
  return { azimuth, elevation, distance: FIRST_DISTANCE * radius, target: middle };
}

/**
 * The directions right, up and towards the eye.
 * @param {View} view
 * @returns {[Place, Place, Place]}
 */
export function screenAxes({ azimuth, elevation }) {
  const [sa, ca] = [Math.sin(azimuth), Math.cos(azimuth)];
  const [se, ce] = [Math.sin(elevation), Math.cos(elevation)];
  return [
    [-sa, ca, 0],
    [-se * ca, -se * sa, ce],
    [ce * ca, ce * sa, se],
  ];
}

/**
 * @param {View} view
 * @returns {Place}
 */
export function eyeOf(view) {
  return movedBy(view.target, [screenAxes(view)[2]], [view.distance]);
}

/**
 * @param {View} view
 * @param {number} right radians
 * @param {number} up radians
 * @returns {View}
 */
export function turned(view, right, up) {
  const elevation = Math.max(-STEEPEST, Math.min(STEEPEST, view.elevation + up));
  return { ...view, azimuth: view.azimuth + right, elevation };
}

/**
 * @param {View} view
 * @param {number} factor above 1: nearer
 * @param {number} radius of what is looked at
 * @returns {View}
 */
export function zoomed(view, factor, radius) {
  const distance = Math.max(0.15 * radius, Math.min(20 * radius, view.distance / factor));
  return { ...view, distance };
}

/**
 * @param {View} view
 * @param {number} right share of the screen's height
 * @param {number} up share of the screen's height
 * @returns {View}
 */
export function panned(view, right, up) {
  const scale = view.distance * 0.63; // what the screen's height is worth at the target
  const [toRight, upwards] = screenAxes(view);
  return {
    ...view,
    target: movedBy(view.target, [toRight, upwards], [-right * scale, -up * scale]),
  };
}

/**
 * @param {Place} place
 * @param {Place[]} directions
 * @param {number[]} amounts
 * @returns {Place}
 */
export function movedBy(place, directions, amounts) {
  const at = (/** @type {number} */ axis) =>
    amounts.reduce((sum, amount, i) => sum + amount * directions[i][axis], place[axis]);
  return [at(0), at(1), at(2)];
}

/**
 * Pixels x, y and depth of places.
 * @param {ArrayLike<number>} places
 * @param {ArrayLike<number>} matrix (4, 4) by columns, to clip space
 * @param {number} width
 * @param {number} height
 */
export function onScreen(places, matrix, width, height) {
  const m = Float64Array.from(matrix);
  const seen = new Float32Array(places.length);
  for (let i = 0; i < places.length; i += 3) {
    const x = places[i];
    const y = places[i + 1];
    const z = places[i + 2];
    const w = m[3] * x + m[7] * y + m[11] * z + m[15];
    seen[i] = (((m[0] * x + m[4] * y + m[8] * z + m[12]) / w + 1) / 2) * width;
    seen[i + 1] = ((1 - (m[1] * x + m[5] * y + m[9] * z + m[13]) / w) / 2) * height;
    seen[i + 2] = w;
  }
  return seen;
}

/**
 * The dot under the pointer: of those that touch it the foremost, else the nearest; −1 for none.
 * @param {Float32Array} seen
 * @param {(i: number) => boolean} isShown
 * @param {number} x
 * @param {number} y
 */
export function dotAt(seen, isShown, x, y, touch = 5, reach = 14) {
  let [best, bestDepth, bestDistance] = [-1, Infinity, reach];
  const n = seen.length / 3;
  for (let i = 0; i < n; i++) {
    const right = seen[3 * i] - x;
    const below = seen[3 * i + 1] - y;
    if (right > reach || right < -reach || below > reach || below < -reach) continue;
    const distance = Math.hypot(right, below);
    const depth = seen[3 * i + 2];
    if (distance > reach || depth <= 0 || !isShown(i)) continue;
    const touches = distance <= touch;
    if (touches ? depth < bestDepth : bestDepth === Infinity && distance < bestDistance) {
      [best, bestDistance] = [i, distance];
      if (touches) bestDepth = depth;
    }
  }
  return best;
}

/**
 * Whether a point lies inside a closed polygon, by the number of edges to its right.
 * @param {number} x
 * @param {number} y
 * @param {[number, number][]} polygon
 */
export function isInside(x, y, polygon) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [polygon[i], polygon[j]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/**
 * The corners of a box around two points.
 * @param {[number, number]} a
 * @param {[number, number]} b
 * @returns {[number, number][]}
 */
export function boxAround([x1, y1], [x2, y2]) {
  return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]; // prettier-ignore
}

/**
 * The rows whose codes are nearest to a code, nearest first, each with its distance.
 * @param {Float32Array} codes
 * @param {number} size numbers of a code
 * @param {ArrayLike<number>} code
 * @param {number} n
 * @param {number} without a row that is left out
 */
export function nearestTo(codes, size, code, n, without = -1) {
  /** @type {[number, number][]} */
  const found = [];
  let farthest = Infinity;
  for (let row = 0; row < codes.length / size; row++) {
    let distance = 0;
    for (let d = 0, i = row * size; d < size; d++, i++) distance += (codes[i] - code[d]) ** 2;
    if (distance >= farthest || row === without) continue;
    const place = found.findIndex(([, other]) => distance < other);
    found.splice(place < 0 ? found.length : place, 0, [row, distance]);
    found.length = Math.min(found.length, n);
    if (found.length === n) farthest = found[n - 1][1];
  }
  return found.map(([row, distance]) => ({ row, distance: Math.sqrt(distance) }));
}

/**
 * The mean of the codes of some rows; null of none.
 * @param {Float32Array} codes
 * @param {number} size numbers of a code
 * @param {number[]} rows
 */
export function meanOfRows(codes, size, rows) {
  if (!rows.length) return null;
  const sums = new Float32Array(size);
  for (const row of rows) {
    for (let d = 0; d < size; d++) sums[d] += codes[row * size + d] / rows.length;
  }
  return sums;
}

/**
 * The straight line from a to b, at a share of the way.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 * @param {number} share
 */
export function between(a, b, share) {
  return Float32Array.from(a, (value, i) => value + share * (b[i] - value));
}

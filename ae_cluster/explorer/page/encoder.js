// @ts-check
/** The network's first half: an image in, a code out; and the cluster of a code, as `assign` has it. */

import { unpacked, whenAsked } from "./arrays.js";
import { layerOf, throughDense } from "./decoder.js";

/**
 * @typedef {import("./arrays.js").Packed} Packed
 * @typedef {{layers: import("./decoder.js").PackedLayer[]}} PackedEncoder
 * @typedef {{centers: Packed} | {constants: Packed, matrices: Packed, shifts: Packed}} PackedDecides
 */

/**
 * A function from an image's values in [0, 1] (height × width × channels) to its code.
 * @param {PackedEncoder} packed
 * @returns {(values: ArrayLike<number>) => Float32Array}
 */
export function encoderOf(packed) {
  const layers = whenAsked(() => packed.layers.map(layerOf));
  return (values) => layers().reduce(throughDense, Float32Array.from(values));
}

/**
 * A function from a code to the number of its cluster.
 * @param {PackedDecides} packed
 * @returns {(code: ArrayLike<number>) => number}
 */
export function decidesOf(packed) {
  if ("centers" in packed) {
    const centers = unpacked(packed.centers);
    const [k, size] = packed.centers.shape;
    return (code) => highest(k, (id) => -squaredTo(centers, id * size, code));
  }
  const [constants, matrices, shifts] = [packed.constants, packed.matrices, packed.shifts].map(unpacked);
  const [k, size] = packed.shifts.shape;
  return (code) =>
    highest(k, (id) => {
      const white = Float64Array.from({ length: size }, (_, column) => {
        let sum = 0;
        for (let d = 0; d < size; d++) sum += code[d] * matrices[(id * size + d) * size + column];
        return sum;
      });
      return constants[id] - 0.5 * squaredTo(shifts, id * size, white);
    });
}

/**
 * @param {number} k
 * @param {(id: number) => number} scoreOf
 */
function highest(k, scoreOf) {
  const scores = Array.from({ length: k }, (_, id) => scoreOf(id));
  return scores.indexOf(Math.max(...scores));
}

/**
 * @param {ArrayLike<number>} rows
 * @param {number} start
 * @param {ArrayLike<number>} code
 */
function squaredTo(rows, start, code) {
  let sum = 0;
  for (let d = 0; d < code.length; d++) sum += (rows[start + d] - code[d]) ** 2;
  return sum;
}

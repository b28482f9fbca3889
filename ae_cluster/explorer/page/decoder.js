// @ts-check
/** The network's second half: a code in, an image out. The same arithmetic as in networks.py. */

import { unpacked, whenAsked } from "./arrays.js";

/**
 * @typedef {{weight: import("./arrays.js").Packed, bias: import("./arrays.js").Packed,
 *   activation: string}} PackedLayer
 * @typedef {{layers: PackedLayer[], maps?: PackedLayer[], grid?: number[],
 *   height?: number, width?: number, mean?: import("./arrays.js").Packed,
 *   scale?: import("./arrays.js").Packed, log?: boolean}} PackedDecoder
 * @typedef {{weight: Float32Array, bias: Float32Array, shape: number[],
 *   activate: (value: number) => number}} Layer
 */

/** @type {Record<string, (value: number) => number>} */
const ACTIVATIONS = {
  identity: (value) => value,
  logistic: (value) => 1 / (1 + Math.exp(-value)),
  relu: (value) => Math.max(0, value),
  tanh: Math.tanh,
};

/**
 * A function from a code to an image (height × width × channels) or a table's row.
 * @param {PackedDecoder} packed
 * @returns {(code: ArrayLike<number>) => Float32Array}
 */
export function decoderOf(packed) {
  const layers = whenAsked(() => packed.layers.map(layerOf));
  const maps = whenAsked(() => (packed.maps ?? []).map(layerOf));
  const mean = packed.mean && unpacked(packed.mean);
  const scale = packed.scale && unpacked(packed.scale);
  return (code) => {
    let values = layers().reduce(throughDense, Float32Array.from(code));
    if (maps().length) values = throughMaps(values, maps(), packed);
    if (!mean || !scale) return values;
    values = values.map((value, i) => value * scale[i] + mean[i]);
    return packed.log ? values.map((value) => Math.sign(value) * Math.expm1(Math.abs(value))) : values;
  };
}

/**
 * @param {PackedLayer} packed
 * @returns {Layer}
 */
export function layerOf({ weight, bias, activation }) {
  return {
    weight: /** @type {Float32Array} */ (unpacked(weight)),
    bias: /** @type {Float32Array} */ (unpacked(bias)),
    shape: weight.shape,
    activate: ACTIVATIONS[activation],
  };
}

/**
 * @param {Float32Array} values
 * @param {Layer} layer with weights (out, in)
 */
export function throughDense(values, { weight, bias, activate }) {
  const size = values.length;
  return bias.map((start, row) => {
    let sum = start;
    for (let i = 0, w = row * size; i < size; i++, w++) sum += weight[w] * values[i];
    return activate(sum);
  });
}

/**
 * @param {Float32Array} values the grid (channels, h, w), flat
 * @param {Layer[]} maps
 * @param {PackedDecoder} packed
 */
function throughMaps(values, maps, packed) {
  let [, high, wide] = /** @type {number[]} */ (packed.grid);
  for (const layer of maps) {
    values = doubled(values, high, wide, layer);
    [high, wide] = [2 * high, 2 * wide];
  }
  return cropped(values, high, wide, packed.height ?? high, packed.width ?? wide);
}

/**
 * A transposed convolution of 4 × 4 at stride 2 with padding 1: twice as high, twice as wide.
 * @param {Float32Array} values (channels in, h, w)
 * @param {number} high
 * @param {number} wide
 * @param {Layer} layer with weights (in, out, 4, 4)
 */
function doubled(values, high, wide, { weight, bias, shape, activate }) {
  const [nIn, nOut] = shape;
  const [newHigh, newWide] = [2 * high, 2 * wide];
  const sums = new Float32Array(nOut * newHigh * newWide);
  for (let from = 0; from < nIn; from++) {
    for (let to = 0; to < nOut; to++) {
      const kernel = (from * nOut + to) * 16;
      for (let y = 0; y < high; y++) {
        for (let x = 0; x < wide; x++) {
          const value = values[(from * high + y) * wide + x];
          if (value === 0) continue; // most are, after a relu
          for (let k = 0; k < 16; k++) {
            const row = 2 * y + (k >> 2) - 1;
            const column = 2 * x + (k & 3) - 1;
            if (row < 0 || row >= newHigh || column < 0 || column >= newWide) continue;
            sums[(to * newHigh + row) * newWide + column] += value * weight[kernel + k];
          }
        }
      }
    }
  }
  return sums.map((sum, i) => activate(sum + bias[Math.floor(i / (newHigh * newWide))]));
}

/**
 * From (channels, high, wide) to (height, width, channels).
 * @param {Float32Array} values
 * @param {number} high
 * @param {number} wide
 * @param {number} height
 * @param {number} width
 */
function cropped(values, high, wide, height, width) {
  const depth = values.length / (high * wide);
  const image = new Float32Array(height * width * depth);
  for (let i = 0; i < image.length; i++) {
    const [pixel, channel] = [Math.floor(i / depth), i % depth];
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    image[i] = values[(channel * high + y) * wide + x];
  }
  return image;
}

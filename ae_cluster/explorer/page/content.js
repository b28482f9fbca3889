// @ts-check
/** What the page was given, unpacked. */

import { unpackedFloats, unpackedIds, unpackedPlaces } from "./arrays.js";
import { decoderOf } from "./decoder.js";
import { decidesOf, encoderOf } from "./encoder.js";

/**
 * @typedef {import("./arrays.js").Packed} Packed
 * @typedef {{name: string, n: number, n_in_run: number, n_train: number, choice: string, ids: string[],
 *   labels: Packed | null, budget: Packed | null, farther_out: Packed | null,
 *   pairs: [number, number, number][]}} PackedCloud
 * @typedef {{id: number, typical: number[], borderline: number[], outliers: number[],
 *   nearest: [number, number | null][]}} ExplainedCluster
 * @typedef {{clusters: ExplainedCluster[], doubtful: [number, number, number, number][],
 *   columns?: Record<string, (number | null)[][]>,
 *   means?: {shape: number[], n: number, sheets: string[]}}} Explained
 * @typedef {{origin: number[], directions: number[][], axes: string[], note: string,
 *   codes: Packed[], suggested: Packed[], film: (import("./arrays.js").PackedPlaces & {epochs: number[]}) | null
 *   }} PackedSpace
 * @typedef {{name: string, n_clusters: number, clusters: Packed[],
 *   confidence: (Packed | null)[], confidence_kind: string | null,
 *   explained: Explained[], class_of_cluster: number[] | null, colors: Record<string, string[]>, space: number,
 *   decoder: number | null, decoder_note: string, encoder: number | null, encoder_note: string,
 *   decides: import("./encoder.js").PackedDecides | null}} PackedMethod
 * @typedef {{native: number[] | null, shape?: number[], per_sheet?: number, sheets?: string[][],
 *   tables?: (Packed | null)[], columns?: string[], note: string}} Pictured
 * @typedef {{columns: string[], rows: {name: string, shown_by: string | null,
 *   values: (number | null)[], reason: string}[]}} Scores
 * @typedef {{name: string, seed: number | null, n_train: number, n_test: number,
 *   classes: string[], pictures: Pictured, clouds: PackedCloud[], spaces: PackedSpace[],
 *   decoders: import("./decoder.js").PackedDecoder[],
 *   encoders: import("./encoder.js").PackedEncoder[], methods: PackedMethod[],
 *   scores: Scores, labelling: import("./labels.js").Labelling,
 *   described: import("./columns.js").PackedColumn[]}} Tree
 * @typedef {ReturnType<typeof contentOf>} Content
 * @typedef {ReturnType<typeof spaceOf>} Space
 */

/** @param {Tree} tree */
export function contentOf(tree) {
  return {
    ...tree,
    clouds: tree.clouds.map((cloud) => ({
      ...cloud,
      labels: unpackedIds(cloud.labels),
      budget: unpackedIds(cloud.budget),
      farther_out: unpackedFloats(cloud.farther_out),
    })),
    spaces: tree.spaces.map(spaceOf),
    decoders: tree.decoders.map(decoderOf),
    encoders: tree.encoders.map(encoderOf),
    methods: tree.methods.map((method) => ({
      ...method,
      clusters: method.clusters.map((ids) => /** @type {Int32Array} */ (unpackedIds(ids))),
      confidence: method.confidence.map(unpackedFloats),
      clusterOf: method.decides && decidesOf(method.decides),
    })),
  };
}

/** @param {PackedSpace} packed */
function spaceOf(packed) {
  const { origin, directions, film } = packed;
  const size = origin.length;
  const codes = packed.codes.map((codes) => /** @type {Float32Array} */ (unpackedFloats(codes)));
  const places = codes.map((values) => {
    const found = new Float32Array((values.length / size) * 3);
    for (let i = 0; i < found.length; i++) {
      const [row, axis] = [Math.floor(i / 3), i % 3];
      for (let d = 0; d < size; d++) {
        found[i] += (values[row * size + d] - origin[d]) * directions[d][axis];
      }
    }
    return found;
  });
  const frames = film && {
    epochs: film.epochs,
    places: unpackedPlaces(film),
    n: film.steps.shape[1],
  };
  if (size === 1) giveHeights([...places, ...(frames ? [frames.places] : [])]);
  const suggested = packed.suggested.map((rows) => /** @type {Int32Array} */ (unpackedIds(rows)));
  return { ...packed, size, codes, places, suggested, film: frames };
}

/**
 * Codes of one number would lie on one line; each row gets a height of its own instead.
 * @param {Float32Array[]} all
 */
function giveHeights(all) {
  const widest = Math.max(...all[0].filter((_, i) => i % 3 === 0).map(Math.abs)) || 1;
  for (const places of all) {
    for (let row = 0; row < places.length / 3; row++) {
      places[3 * row + 1] = (((row * 0.618034) % 1) - 0.5) * widest;
    }
  }
}

/**
 * The code a step away in the three directions shown; what lies outside them stays as it is.
 * @param {ArrayLike<number>} code
 * @param {Space} space
 * @param {number[]} step
 */
export function codeMoved(code, { directions }, step) {
  return Float32Array.from(code, (value, d) =>
    directions[d].reduce((sum, amount, axis) => sum + amount * step[axis], value),
  );
}

/**
 * @param {ArrayLike<number>} code
 * @param {Space} space
 * @returns {import("./geometry.js").Place}
 */
export function placeOf(code, { origin, directions, size }) {
  const place = /** @type {import("./geometry.js").Place} */ ([0, 0, 0]);
  for (let d = 0; d < size; d++) {
    for (let axis = 0; axis < 3; axis++) place[axis] += (code[d] - origin[d]) * directions[d][axis];
  }
  return place;
}

/**
 * The places of a film at a moment between two saved epochs.
 * @param {{epochs: number[], places: Float32Array, n: number}} film
 * @param {number} moment 0 … number of frames − 1
 */
export function framePlaces({ epochs, places, n }, moment) {
  const first = Math.min(Math.floor(moment), epochs.length - 1);
  const second = Math.min(first + 1, epochs.length - 1);
  const frame = new Float32Array(3 * n);
  for (let i = 0; i < frame.length; i++) {
    const start = places[first * 3 * n + i];
    frame[i] = start + (moment - first) * (places[second * 3 * n + i] - start);
  }
  return frame;
}

/**
 * Text that a spreadsheet would compute, after an apostrophe; as ae_cluster/common/spreadsheets.py has it.
 * @param {string} text
 */
export function inSpreadsheet(text) {
  const isFormula = /^'*(?:[\t\r\n]|[ \u00a0\u3000]*[=+\-@\uff1d\uff0b\uff0d\uff20])/.test(text);
  const isNumber = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text);
  return isFormula && !isNumber ? `'${text}` : text;
}

/**
 * A table of text with a header, as CSV (RFC 4180).
 * @param {string[]} header
 * @param {(string | number)[][]} rows
 */
export function csvOf(header, rows) {
  const cell = (/** @type {string | number} */ value) => {
    const text = inSpreadsheet(String(value));
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => row.map(cell).join(",") + "\r\n").join("");
}

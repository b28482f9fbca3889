// @ts-check
/** What each view shows, and what it does not. */

import { grouped } from "./dom.js";

/** @typedef {import("./content.js").Content} Content */

/** @type {Record<string, string>} */
const SAMPLES = { test: "test samples", train: "training samples", all: "samples" };

/**
 * A number with so many decimals; never −0.
 * @param {number} value
 * @param {number} n
 */
export function decimals(value, n) {
  const words = value.toFixed(n);
  return Number(words) === 0 ? (0).toFixed(n) : words;
}

/** @param {string} name */
export function shortened(name, most = 18) {
  const letters = [...name];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : name;
}

/**
 * @param {string} kind a key of SAMPLES
 * @param {number} n
 */
function samples(kind, n) {
  return n === 1 ? SAMPLES[kind].slice(0, -1) : SAMPLES[kind];
}

/** @param {Content["clouds"][number]} cloud */
export function cloudName({ name, n }) {
  return `${grouped(n)} ${samples(name, n)}`;
}

/** @param {Content} content */
export function summaryOf({ seed, n_train, n_test, methods }) {
  const seeded = seed === null ? "" : `, seed ${seed}`;
  const clusters = [...new Set(methods.map((method) => method.n_clusters))].join(" or ");
  return (
    `${grouped(n_train)} training and ${grouped(n_test)} ${samples("test", n_test)}, ` +
    `${clusters} cluster${clusters === "1" ? "" : "s"}${seeded}`
  );
}

/**
 * @param {Content["clouds"][number]} cloud
 * @param {Content["methods"][number]} method
 * @param {string} coloring
 * @param {string} note of the space
 */
export function captionOf(cloud, method, coloring, note) {
  const { n, n_in_run: all, choice } = cloud;
  const whole = all === 1 ? "The one" : `All ${grouped(n)}`;
  const share = n < all ? `${grouped(n)} of ${grouped(all)}` : whole;
  const chosen = choice && ` (${choice})`;
  const each = all === 1 ? "a dot" : "each a dot";
  const dots = `${share} ${samples(cloud.name, all)}${chosen}, ${each} at the place of its code.`;
  return [dots, coloringSentence(coloring, method), note].filter(Boolean).join(" ");
}

/**
 * @param {string} coloring
 * @param {Content["methods"][number]} method
 */
function coloringSentence(coloring, { name, confidence_kind: kind }) {
  const sure =
    kind === "membership"
      ? `the largest membership probability by ${name}; sure does not mean right`
      : `how much nearer the nearest centre of ${name} is than the second (1 − d₁/d₂); ` +
        "it is no probability";
  return {
    label:
      "The colour is the true label, which was not used to place them: the more each colour " +
      "keeps to itself, the more the code knows.",
    cluster:
      `The colour is the cluster by ${name}, where labels are known in the colour of the class ` +
      "it is matched to; that a cluster is one lump does not make it one class.",
    right:
      `Each cluster by ${name} is named after the class it matches best in training; the colour ` +
      "says whether that name is the sample's label, not how near a miss it is.",
    confidence: `The colour is ${sure}.`,
    budget:
      "The colour is the smallest label budget of the first draw that a sample belongs to; the " +
      "larger ones contain it, and only training samples can be in one.",
    given: "The colour is the label given in this page.",
    column: "The colour is the value of the column chosen beside.",
  }[coloring];
}

/**
 * @param {number} epoch
 * @param {number} last
 * @param {number} n
 */
export function filmSentence(epoch, last, n) {
  const when = epoch === 0 ? "before training" : `after epoch ${epoch} of ${last}`;
  return `${when}, of the first ${grouped(n)} training samples`;
}

/**
 * What can be done on the stage now.
 * @param {string} tool
 * @param {boolean} byTouch
 * @returns {string}
 */
export function toolSentence(tool, byTouch) {
  const moves = byTouch
    ? "Drag to turn, two fingers zoom and move; tap a dot to keep it."
    : "Drag to turn, with Shift to move, wheel to zoom; click a dot to keep it.";
  /** @type {Record<string, string>} */
  const sentences = {
    turn: moves,
    cursor: "Drag to move the decoder’s cursor, or pick a dot to bring it there.",
    box: "Drag a box around dots to select them.",
    lasso: "Draw around dots to select them.",
  };
  return sentences[tool];
}

export const DECODER_SENTENCE =
  "What the decoder draws at the cursor, computed here as it moves. Far from all dots it draws " +
  "something too, but nothing it has learnt.";
export const WALK_SENTENCE =
  "The straight line between two codes: where the picture changes suddenly, the code has a border.";
export const CONFUSION_SENTENCE =
  "Rows are labels, columns are clusters with the class each is matched to in training. Click a " +
  "cell, and its dots light up above. Counted are the samples shown, not the whole run.";
export const SCORES_SENTENCE =
  "On all held-out test samples of the run. Accuracy matches clusters with classes on training " +
  "samples, matched on the test samples themselves. Purity and NMI rise with the number of " +
  "clusters; AMI and ARI are corrected for chance. Neighbours is about the most a classifier on " +
  "these codes can reach.";
export const UNSCORED_SENTENCE =
  "No held-out test sample has a label, so nothing says how good these clusters are, only how long " +
  "they took.";
export const NO_SCORES = "This run has no scores that this version of ae_cluster can read.";
export const NO_LABELS =
  "No sample shown has a label, so nothing here can say whether the clusters mean anything.";
export const NO_WEBGL =
  "This browser draws no 3-D pictures (WebGL is off or missing), so the dots cannot be shown. " +
  "The decoder, the scores and the tables below still work.";
export const ASSIGN_SENTENCE =
  "On the command line: ae-cluster assign RUN FILE_OR_FOLDER --out FILE.csv.";

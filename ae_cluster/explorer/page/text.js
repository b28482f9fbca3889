// @ts-check
/** What each view shows, and what it does not. */

import { grouped } from "./dom.js";
import { say, translated } from "./language.js";

/**
 * @typedef {import("./content.js").Content} Content
 * @typedef {import("./language.js").Key} Key
 */

/** @type {Record<string, {one: Key, many: Key, whole: Key}>} */
const SAMPLES = {
  test: { one: "one_test_sample", many: "test_samples", whole: "whole_test_sample" },
  train: { one: "one_train_sample", many: "train_samples", whole: "whole_train_sample" },
  all: { one: "one_sample", many: "all_samples", whole: "whole_sample" },
};

/** @type {Record<string, Key>} what a colouring means */
const COLORING = {
  label: "by_label",
  cluster: "by_cluster",
  right: "by_outcome",
  membership: "by_membership",
  margin: "by_margin",
  budget: "by_budget",
  given: "by_given",
  column: "by_column",
};

/** @type {Record<string, Key>} what can be done on the stage with each tool */
const HINTS = { turn: "turn_hint", cursor: "cursor_hint", box: "box_hint", lasso: "lasso_hint" };

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

/** @param {{name: string, n: number}} cloud its name is a key of SAMPLES */
export function cloudName({ name, n }) {
  return say(n === 1 ? SAMPLES[name].one : SAMPLES[name].many, { n: grouped(n) });
}

/** @param {Content} content */
export function summaryOf({ seed, n_train, n_test, methods }) {
  const n = [...new Set(methods.map((method) => method.n_clusters))].join(say("or"));
  const summary = say("summary", {
    train: grouped(n_train),
    test: cloudName({ name: "test", n: n_test }),
    clusters: n === "1" ? say("one_cluster") : say("n_clusters", { n }),
  });
  return seed === null ? summary : say("with_seed", { summary, seed });
}

/**
 * @param {Content["clouds"][number]} cloud
 * @param {Content["methods"][number]} method
 * @param {string} coloring
 * @param {string} note of the space
 */
export function captionOf(cloud, method, coloring, note) {
  const { name, n, n_in_run: all, choice } = cloud;
  const many = cloudName({ name, n: all });
  const whole = all === 1 ? say(SAMPLES[name].whole) : say("whole_samples", { samples: many });
  const share = n < all ? say("share_of_samples", { n: grouped(n), samples: many }) : whole;
  const chosen = choice ? say("chosen", { samples: share, how: translated(choice) }) : share;
  const dots = say(all === 1 ? "one_dot" : "each_a_dot", { samples: chosen });
  return [dots, coloringSentence(coloring, method), note].filter(Boolean).join(say("space"));
}

/**
 * @param {string} coloring
 * @param {Content["methods"][number]} method
 */
function coloringSentence(coloring, { name, confidence_kind: kind }) {
  const sure = kind === "membership" ? "membership" : "margin";
  return say(COLORING[coloring === "confidence" ? sure : coloring], { method: name });
}

/**
 * @param {number} epoch
 * @param {number} last
 */
export function epochWords(epoch, last) {
  return epoch === 0 ? say("before_training") : say("after_epoch", { epoch, last });
}

/**
 * @param {number} epoch
 * @param {number} last
 * @param {number} n
 */
export function filmSentence(epoch, last, n) {
  return say("film_sentence", { when: epochWords(epoch, last), n: grouped(n) });
}

/**
 * What can be done on the stage now.
 * @param {string} tool
 * @param {boolean} byTouch
 */
export function toolSentence(tool, byTouch) {
  return say(tool === "turn" && byTouch ? "turn_hint_touch" : HINTS[tool]);
}

// @ts-check
/** Labelling: what the panel listens to, what the browser keeps of it, and files of labels. */

import { TableFileError } from "./csv_reading.js";
import { byId, grouped, inputById, saveAs } from "./dom.js";
import { labelTable, labelsIn } from "./label_file.js";
import { LabelPanel } from "./label_panel.js";
import { LabelStore } from "./label_store.js";
import { say } from "./language.js";

/** @typedef {import("./state.js").Explorer} Explorer */

/**
 * @param {Explorer} explorer
 * @param {import("./pictures.js").Pictures} pictures
 */
export function listenToLabels(explorer, pictures) {
  const panel = new LabelPanel(explorer, pictures);
  keepLabels(panel);
  byId("labelling").addEventListener("keydown", (event) => {
    const isTyping = event.target === byId("class-name");
    if (isTyping && event.key === "Enter") panel.giveTyped();
    if (!isTyping && panel.press(event)) event.preventDefault();
  });
  byId("give").addEventListener("click", () => panel.giveTyped());
  byId("label-back").addEventListener("click", () => panel.step(-1));
  byId("label-skip").addEventListener("click", () => panel.step(1));
  byId("label-undo").addEventListener("click", () => panel.undo());
  listenToLabelFiles(panel);
  explorer.whenever(["samples", "method"], () => panel.suggestions.start());
  explorer.whenever(["labels"], () => panel.showClasses());
  explorer.whenever(["labels", "method", "names", "language"], () => panel.showAgreement());
  explorer.whenever(["labels", "samples", "method", "selection", "theme", "language"], () =>
    panel.showTarget(),
  );
  explorer.whenever(["language"], () => panel.say("")); // it was said in the other one
}

/**
 * Keep the labels in the browser after each step, and say so when it does not.
 * @param {LabelPanel} panel
 */
function keepLabels(panel) {
  const { explorer } = panel;
  const store = new LabelStore(explorer.content.labelling);
  const take = (/** @type {string} */ text) => explorer.labels.restore(text);
  store.read(take);
  let kept = explorer.labels.text;
  const tellProblem = () => {
    byId("label-problem").textContent =
      store.problem && say("labels_in_memory", { problem: say(store.problem) });
  };
  explorer.whenever(["language"], tellProblem);
  explorer.whenever(["labels"], () => {
    const { text } = explorer.labels;
    if (text === kept) return;
    kept = text;
    panel.isExported = false;
    store.write(text);
    tellProblem();
  });
  store.whenChangedElsewhere((text) => {
    take(text);
    kept = text;
    explorer.tellLabels();
  });
  addEventListener("beforeunload", (event) => {
    if (store.problem && !panel.isExported) event.preventDefault();
  });
}

/** @param {LabelPanel} panel */
function listenToLabelFiles(panel) {
  const { explorer } = panel;
  const { labelling, name, clouds, n_train: nTrain, n_test: nTest } = explorer.content;
  const ids = new Set(clouds.flatMap((cloud) => cloud.ids));
  const shown = { ids, areAll: ids.size === nTrain + nTest };
  byId("export-labels").addEventListener("click", () => {
    const file = `labels-${name.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60)}.csv`;
    saveAs(labelTable(explorer.labels, labelling.data, namesBySample(explorer)), file);
    panel.isExported = true;
    panel.say(say("labels_in_file", { n: grouped(explorer.labels.given.size), file }));
  });
  const input = inputById("label-file");
  byId("import-labels").addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    input.value = ""; // so that the same file can be given again
    if (file) takeFile(panel, file.name, await file.arrayBuffer(), shown);
  });
  byId("forget-labels").addEventListener("click", () => {
    const all = [...explorer.labels.given.keys()];
    explorer.takeLabels(all.map((id) => [id, undefined]));
    panel.say(say("labels_removed", { n: grouped(all.length) }));
  });
  explorer.whenever(["labels"], () => {
    const { given, steps } = explorer.labels;
    const disable = (/** @type {string} */ id, /** @type {boolean} */ isOff) => {
      /** @type {HTMLButtonElement} */ (byId(id)).disabled = isOff;
    };
    disable("export-labels", !given.size);
    disable("forget-labels", !given.size);
    disable("label-undo", !steps.length);
  });
}

/**
 * What the user calls the clusters of the samples by the method shown, by their ids.
 * @param {Explorer} explorer
 */
function namesBySample({ content, method, names }) {
  const own = names.of(method.name);
  const pairs = content.clouds.flatMap(({ ids }, cloud) =>
    ids.map((id, row) => /** @type {const} */ ([id, own.get(method.clusters[cloud][row]) ?? ""])),
  );
  return new Map(own.size ? pairs : []);
}

/**
 * Take the labels in a file, or say why not and change nothing.
 * @param {LabelPanel} panel
 * @param {string} name of the file
 * @param {ArrayBuffer} bytes
 * @param {{ids: Set<string>, areAll: boolean}} shown samples, and whether the run has no others
 */
function takeFile(panel, name, bytes, shown) {
  const { explorer } = panel;
  const { labels, content } = explorer;
  try {
    const pairs = labelsIn(bytes, { labels, data: content.labelling.data, ...shown });
    const replaced = pairs.filter(([id, label]) => (labels.given.get(id) ?? label) !== label);
    explorer.takeLabels(pairs);
    panel.say(
      say(replaced.length ? "labels_from_file_replaced" : "labels_from_file", {
        n: grouped(pairs.length),
        replaced: grouped(replaced.length),
        file: name,
      }),
    );
  } catch (error) {
    if (!(error instanceof TableFileError)) throw error;
    panel.say(say("file_refused", { file: name, why: error.message }));
  }
}

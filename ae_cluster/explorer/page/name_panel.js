// @ts-check
/** The user's names of clusters: given, kept in the browser, in and out of files. */

import { TableFileError } from "./csv_reading.js";
import { byId, grouped, inputById, saveAs } from "./dom.js";
import { LabelStore } from "./label_store.js";
import { say } from "./language.js";
import { namesIn, namesTable } from "./names_file.js";
import { shortened } from "./text.js";

/** @typedef {import("./state.js").Explorer} Explorer */

/** @param {string} words */
function sayOfNames(words) {
  byId("names-said").textContent = words;
}

/**
 * @param {Explorer} explorer
 * @param {HTMLSelectElement} select the cluster that is explained
 */
export function listenToNames(explorer, select) {
  const input = inputById("cluster-name");
  const id = () => explorer.explained.clusters[Number(select.value)]?.id ?? -1;
  const give = () => {
    const name = input.value.trim();
    explorer.nameCluster(id(), name);
    sayOfNames(
      name ? say("is_called", { name: shortened(explorer.clusterName(id()), 60) }) : say("has_no_name"),
    );
  };
  byId("name-cluster").addEventListener("click", give);
  input.addEventListener("keydown", ({ key }) => {
    if (key === "Enter") give();
  });
  const show = () => {
    const own = explorer.names.of(explorer.method.name);
    input.value = own.get(id()) ?? "";
    /** @type {HTMLButtonElement} */ (byId("export-names")).disabled = !own.size;
  };
  select.addEventListener("change", show);
  keepNames(explorer);
  listenToNameFiles(explorer);
  explorer.whenever(["method", "samples", "names"], show);
  explorer.whenever(["language"], () => sayOfNames("")); // it was said in the other one
}

/** @param {Explorer} explorer */
function keepNames(explorer) {
  const { names } = explorer;
  const store = new LabelStore(explorer.content.labelling, "names");
  store.read((text) => names.restore(text));
  let kept = names.text;
  const tellProblem = () => {
    byId("names-problem").textContent =
      store.problem && names.given.size ? say("names_in_memory", { problem: say(store.problem) }) : "";
  };
  if (names.given.size) explorer.tell("names");
  explorer.whenever(["names"], () => {
    if (names.text === kept) return;
    kept = names.text;
    store.write(kept);
    tellProblem();
  });
  explorer.whenever(["language"], tellProblem);
  store.whenChangedElsewhere((text) => {
    names.restore(text);
    kept = text;
    explorer.tell("names");
  });
}

/** @param {Explorer} explorer */
function listenToNameFiles(explorer) {
  const input = inputById("names-file");
  const of = () => ({ method: explorer.method.name, run: explorer.content.labelling.run });
  byId("export-names").addEventListener("click", () => {
    const own = explorer.names.of(explorer.method.name);
    saveAs(namesTable(own, of()), "names.csv");
    sayOfNames(say("names_in_file", { n: grouped(own.size) }));
  });
  byId("import-names").addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    if (!file) return;
    try {
      const known = [-1, ...Array(explorer.method.n_clusters).keys()];
      const found = namesIn(await file.arrayBuffer(), of(), known);
      explorer.nameClusters(new Map([...explorer.names.of(explorer.method.name), ...found]));
      sayOfNames(say("names_from_file", { n: grouped(found.size), file: shortened(file.name, 40) }));
    } catch (error) {
      if (!(error instanceof TableFileError)) throw error;
      sayOfNames(say("file_refused", { file: shortened(file.name, 40), why: error.message }));
    }
    input.value = ""; // so that the same file can be given again
  });
}

// @ts-check
/** An image from a file, placed among the dots: dropped on the page or chosen with a button. */

import { byId, canvasById, inputById } from "./dom.js";
import { foundItem, neighboursOf } from "./find.js";
import { ImageFileError, imageIn } from "./image_file.js";
import { say, translated } from "./language.js";
import { placedIn } from "./placed_image.js";
import { drawSamples } from "./sample_list.js";
import { shortened } from "./text.js";

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./pictures.js").Pictures} Pictures
 */

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 */
export function listenToPlacing(explorer, pictures) {
  const tell = (/** @type {string} */ words) => {
    byId("placed-words").textContent = words;
  };
  const take = async (/** @type {File | undefined} */ file) => {
    if (file) tell(await placed(explorer, file));
  };
  const input = inputById("image-file");
  byId("choose-image").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    void take(file).then(() => (input.value = "")); // so that the same file can be given again
  });
  byId("remove-image").addEventListener("click", () => {
    explorer.placeImage(null);
    tell("");
  });
  addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // or the browser would leave the page for the file
    void take(event.dataTransfer.files[0]);
  });
  explorer.whenever(["method", "samples", "image", "theme", "names", "language"], () =>
    show(explorer, pictures),
  );
  explorer.whenever(["method", "names", "language"], () => {
    if (explorer.image) tell(sentenceOn(explorer));
  });
}

/**
 * Place the image in a file; what is to be said of it.
 * @param {Explorer} explorer
 * @param {File} file
 */
async function placed(explorer, file) {
  const { native } = explorer.content.pictures;
  if (!native || !explorer.encode) return withAssign(explorer.method.encoder_note);
  try {
    explorer.placeImage({ name: file.name, values: await imageIn(file, native) });
    return sentenceOn(explorer);
  } catch (error) {
    if (!(error instanceof ImageFileError)) throw error;
    return say("image_refused", { file: shortened(file.name, 60), why: error.message });
  }
}

/** @param {string} note on why no image is placed here */
function withAssign(note) {
  return translated(note) + say("space") + say("assign_instead");
}

/** @param {Explorer} explorer */
function sentenceOn(explorer) {
  const { image, method } = explorer;
  const found = placedIn(explorer);
  if (!image || !found) return "";
  const name = shortened(image.name, 60);
  return found.cluster === null
    ? say("placed_without_cluster", { name, method: method.name })
    : say("placed_in_cluster", {
        name,
        cluster: explorer.clusterName(found.cluster),
        method: method.name,
      });
}

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 */
function show(explorer, pictures) {
  const { encoder_note: note } = explorer.method;
  byId("no-encoder").textContent = note && withAssign(note);
  byId("place-tools").hidden = note !== "";
  /** @type {HTMLButtonElement} */ (byId("remove-image")).disabled = !explorer.image;
  const found = placedIn(explorer);
  byId("placed").hidden = !found;
  if (!found || !explorer.image) return byId("placed-near").replaceChildren();
  pictures.drawDecoded(canvasById("placed-picture"), explorer.image.values);
  const { rows, words } = neighboursOf(explorer, found.code);
  byId("placed-near").replaceChildren(
    ...rows.map((row, i) => foundItem(explorer, pictures, row, words[i])),
  );
  drawSamples(byId("placed-near"), explorer, pictures);
}

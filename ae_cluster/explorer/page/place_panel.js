// @ts-check
/** An image from a file, placed among the dots: dropped on the page or chosen with a button. */

import { byId, canvasById, inputById } from "./dom.js";
import { foundItem, neighboursOf } from "./find.js";
import { ImageFileError, imageIn } from "./image_file.js";
import { placedIn } from "./placed_image.js";
import { drawSamples } from "./sample_list.js";
import { ASSIGN_SENTENCE, shortened } from "./text.js";

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./pictures.js").Pictures} Pictures
 */

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 */
export function listenToPlacing(explorer, pictures) {
  const say = (/** @type {string} */ words) => {
    byId("placed-words").textContent = words;
  };
  const take = async (/** @type {File | undefined} */ file) => {
    if (file) say(await placed(explorer, file));
  };
  const input = inputById("image-file");
  byId("choose-image").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    void take(file).then(() => (input.value = "")); // so that the same file can be given again
  });
  byId("remove-image").addEventListener("click", () => {
    explorer.placeImage(null);
    say("");
  });
  addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault(); // or the browser would leave the page for the file
    void take(event.dataTransfer.files[0]);
  });
  explorer.whenever(["method", "samples", "image", "theme", "names"], () => show(explorer, pictures));
  explorer.whenever(["method", "names"], () => {
    if (explorer.image) say(sentenceOn(explorer));
  });
}

/**
 * Place the image in a file; what is to be said of it.
 * @param {Explorer} explorer
 * @param {File} file
 */
async function placed(explorer, file) {
  const { native } = explorer.content.pictures;
  if (!native || !explorer.encode) return `${explorer.method.encoder_note} ${ASSIGN_SENTENCE}`;
  try {
    explorer.placeImage({ name: file.name, values: await imageIn(file, native) });
    return sentenceOn(explorer);
  } catch (error) {
    if (!(error instanceof ImageFileError)) throw error;
    return `${shortened(file.name, 60)}: ${error.message}`;
  }
}

/** @param {Explorer} explorer */
function sentenceOn(explorer) {
  const { image, method } = explorer;
  const found = placedIn(explorer);
  if (!image || !found) return "";
  const name = shortened(image.name, 60);
  return found.cluster === null
    ? `${name}: ${method.name} tells clusters by more than the code, so only ae-cluster assign says its own.`
    : `${name} is in cluster ${explorer.clusterName(found.cluster)} by ${method.name}.`;
}

/**
 * @param {Explorer} explorer
 * @param {Pictures} pictures
 */
function show(explorer, pictures) {
  const { encoder_note: note } = explorer.method;
  byId("no-encoder").textContent = note && `${note} ${ASSIGN_SENTENCE}`;
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

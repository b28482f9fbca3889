// @ts-check
/** The page's start: what it was given, the state, the stage, and those who listen. */

import { listenToColumns } from "./by_column.js";
import { listenToHover, listenToKept } from "./cards.js";
import { contentOf } from "./content.js";
import { listenToDecoder, listenToWalk } from "./decoder_panel.js";
import { byId } from "./dom.js";
import { listenToExplain } from "./explain.js";
import { listenToFind, rowsWith } from "./find.js";
import { listenToPlacing } from "./place_panel.js";
import { nearestTo } from "./geometry.js";
import { Explorer } from "./state.js";
import { listenToLabels } from "./labelling.js";
import { Pictures } from "./pictures.js";
import { listenToPointer } from "./pointer.js";
import { listenToChoices, listenToFilm, listenToLegend, listenToTheme } from "./controls.js";
import { follow, listenToShare } from "./share.js";
import { Stage } from "./stage.js";
import { listenToConfusion, listenToScores, listenToSelection, selectionCsv } from "./tables.js";
import { toolSentence } from "./text.js";
import { listenToLanguage } from "./translating.js";

/** @param {Explorer} explorer @param {Stage} stage */
function listenToTools(explorer, stage) {
  const buttons = [...document.querySelectorAll("[data-tool]")];
  for (const button of buttons) {
    button.addEventListener("click", () =>
      explorer.setTool(button.getAttribute("data-tool") ?? ""),
    );
  }
  byId("reset").addEventListener("click", () => stage.reset());
  byId("zoom-in").addEventListener("click", () => stage.zoom(1.25));
  byId("zoom-out").addEventListener("click", () => stage.zoom(0.8));
  const byTouch = matchMedia("(pointer: coarse)").matches;
  explorer.whenever(["tool", "language"], () => {
    stage.box.dataset.now = explorer.tool;
    byId("hint").textContent = toolSentence(explorer.tool, byTouch);
    for (const button of buttons) {
      const isOn = button.getAttribute("data-tool") === explorer.tool;
      button.setAttribute("aria-pressed", String(isOn));
    }
  });
}

/** Draw the dots as soon as their codes are read: the images, most of the page, come after them. */
function start() {
  const explorer = new Explorer(contentOf(JSON.parse(byId("content").textContent ?? "")));
  listenToLanguage(explorer);
  listenToTheme(explorer);
  const stage = new Stage(explorer);
  listenToPointer(stage, explorer);
  listenToTools(explorer, stage);
  listenToChoices(explorer);
  follow(explorer, stage, location.hash);
  stage.fit();
  document.addEventListener("DOMContentLoaded", () => listen(explorer, stage));
}

/**
 * All else, when the images are there, before the page counts as loaded.
 * @param {Explorer} explorer @param {Stage} stage
 */
function listen(explorer, stage) {
  const pictures = new Pictures(explorer.content.pictures);
  listenToLegend(explorer);
  listenToFilm(explorer);
  listenToHover(explorer, pictures, stage);
  listenToKept(explorer, pictures);
  listenToDecoder(explorer, pictures, stage);
  listenToWalk(explorer, pictures);
  listenToScores(explorer);
  listenToConfusion(explorer);
  listenToSelection(explorer);
  listenToLabels(explorer, pictures);
  listenToColumns(explorer);
  listenToExplain(explorer, pictures);
  listenToFind(explorer, pictures);
  listenToPlacing(explorer, pictures);
  listenToShare(explorer, stage);
  stage.askOver(); // the labels that the browser kept have their marks, too
  // For the browser's console, and for tests.
  Object.assign(globalThis, { explorer, stage, csv: () => selectionCsv(explorer), rowsWith, nearestTo });
}

start();

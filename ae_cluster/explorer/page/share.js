// @ts-check
/** What is looked at now, as a link and as a picture. */

import { byId, canvasById, element, inkOf, saveAs, styleValue } from "./dom.js";
import { say } from "./language.js";
import { drawLegend } from "./legend_picture.js";

const LINK_DIGITS = 5;

/**
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./stage.js").Stage} Stage
 */

/**
 * The samples, method, colours and the eye's place, as what stands behind # in an address.
 * @param {Explorer} explorer
 * @param {Stage} stage
 */
export function linkOf({ cloud, method, coloringName, columns }, { view }) {
  const { azimuth, elevation, distance, target } = view;
  const numbers = [azimuth, elevation, distance, ...target].map((n) => Number(n.toPrecision(LINK_DIGITS)));
  return new URLSearchParams({
    samples: cloud.name,
    method: method.name,
    colour: coloringName,
    view: numbers.join(","),
    ...(columns.n ? { column: String(columns.number) } : {}),
    ...(columns.range ? { range: columns.range.join(",") } : {}),
    ...(columns.without.size ? { without: [...columns.without].join(",") } : {}),
    ...(columns.text ? { text: columns.text } : {}),
  }).toString();
}

/**
 * Look at what a link says; what it says of something else than this page holds is left out.
 * @param {Explorer} explorer
 * @param {Stage} stage
 * @param {string} hash
 */
export function follow(explorer, stage, hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const { clouds, methods } = explorer.content;
  const cloud = clouds.findIndex(({ name }) => name === said.get("samples"));
  const method = methods.findIndex(({ name }) => name === said.get("method"));
  if (cloud >= 0 && cloud !== explorer.cloudNumber) explorer.showCloud(cloud);
  if (method >= 0 && method !== explorer.methodNumber) explorer.showMethod(method);
  const names = /** @type {const} */ (["label", "cluster", "right", "confidence", "budget", "given", "column"]);
  const coloring = names.find((name) => name === said.get("colour"));
  if (coloring && explorer.canColorBy(coloring)) explorer.colorBy(coloring);
  const column = Number(said.get("column") ?? NaN);
  const [low, high] = (said.get("range") ?? "").split(",").map(Number);
  if (explorer.canColorBy("column") && Number.isInteger(column) && column >= 0 && column < explorer.columns.n) {
    if (coloring === "column") explorer.colorByColumn(column);
    else explorer.columns.number = column;
    explorer.showWithin(low <= high ? [low, high] : null);
    for (const id of (said.get("without") ?? "").split(",")) if (id) explorer.showCategory(Number(id), false);
    explorer.showWithText(said.get("text") ?? "");
  }
  const [azimuth, elevation, distance, x, y, z, ...more] = (said.get("view") ?? "").split(",").map(Number);
  const isView = [azimuth, elevation, distance, x, y, z].every(Number.isFinite) && distance > 0;
  if (isView && !more.length) stage.lookFrom({ azimuth, elevation, distance, target: [x, y, z] });
}

/**
 * The stage as it looks now.
 * @param {Stage} stage
 */
export function picturedStage(stage) {
  stage.draw();
  const points = canvasById("points");
  const { width, height } = points;
  const made = element("canvas", { width: String(width), height: String(height) });
  const ink = inkOf(made);
  ink.fillStyle = styleValue("--ground");
  ink.fillRect(0, 0, width, height);
  for (const canvas of [points, canvasById("overlay")]) ink.drawImage(canvas, 0, 0, width, height);
  ink.scale(stage.ratio, stage.ratio);
  drawLegend(ink, stage.explorer.coloring, stage.size);
  return made;
}

/**
 * @param {Explorer} explorer
 * @param {Stage} stage
 */
export function listenToShare(explorer, stage) {
  byId("save-picture").addEventListener("click", () =>
    picturedStage(stage).toBlob((blob) => blob && saveAs(blob, "codes.png")),
  );
  byId("link").addEventListener("click", () => {
    location.hash = linkOf(explorer, stage);
    byId("link-words").textContent = say("link_made");
  });
  explorer.whenever(["language"], () => {
    byId("link-words").textContent = "";
  });
  addEventListener("hashchange", () => {
    if (location.hash !== `#${linkOf(explorer, stage)}`) follow(explorer, stage, location.hash);
  });
  follow(explorer, stage, location.hash);
}

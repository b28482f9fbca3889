// @ts-check
/** A table's column as colour, and as what hides dots: by a range, by categories or by a text. */

import { byId, element, fillSelect, grouped, inputById, selectById, swatch } from "./dom.js";
import { say } from "./language.js";
import { shortened } from "./text.js";

/** @typedef {import("./state.js").Explorer} Explorer */

/** @param {Explorer} explorer */
export function listenToColumns(explorer) {
  const select = selectById("column");
  const [low, high, text] = ["column-low", "column-high", "column-text"].map(inputById);
  explorer.whenever(["language"], () =>
    fillSelect(
      select,
      explorer.columns.all.map(({ name }, i) => shortened(name || say("column_n", { n: i + 1 }), 60)),
    ),
  );
  select.addEventListener("change", () => explorer.colorByColumn(Number(select.value)));
  for (const end of [low, high]) {
    end.addEventListener("input", () => explorer.showWithin(rangeOf(low.value, high.value)));
  }
  text.addEventListener("input", () => explorer.showWithText(text.value));
  byId("column-all").addEventListener("click", () => explorer.showWithin(null));
  explorer.whenever(["samples", "coloring", "shown", "language"], () => {
    const { columns } = explorer;
    byId("by-column").hidden = !explorer.canColorBy("column");
    if (!columns.column) return;
    select.value = String(columns.number);
    const { kind } = columns.column;
    byId("column-range").hidden = kind !== "number";
    byId("column-search").hidden = kind !== "text";
    const ends = columns.range ?? [-Infinity, Infinity];
    [low, high].forEach((end, i) => {
      if (end !== document.activeElement) end.value = Number.isFinite(ends[i]) ? String(ends[i]) : "";
    });
    if (text !== document.activeElement) text.value = columns.text;
    byId("column-words").textContent = columns.isFiltered
      ? say("dots_shown", { n: grouped(explorer.shownRows().length), all: grouped(explorer.cloud.n) })
      : "";
  });
  explorer.whenever(["samples", "coloring", "theme", "language"], () => showCategories(explorer));
  explorer.whenever(["shown"], () => {
    for (const box of byId("column-categories").querySelectorAll("input")) {
      box.checked = !explorer.columns.without.has(Number(box.value));
    }
  });
}

/**
 * What two fields say of a range; null where both are empty.
 * @param {string} low
 * @param {string} high
 * @returns {[number, number] | null}
 */
function rangeOf(low, high) {
  const [from, to] = [low, high].map((value) => (value.trim() === "" ? NaN : Number(value)));
  if (Number.isNaN(from) && Number.isNaN(to)) return null;
  return [Number.isNaN(from) ? -Infinity : from, Number.isNaN(to) ? Infinity : to];
}

/**
 * A box to tick for each category of the column, in the colour of its dots.
 * @param {Explorer} explorer
 */
function showCategories(explorer) {
  const place = byId("column-categories");
  const { columns } = explorer;
  place.hidden = columns.column?.kind !== "category";
  if (place.hidden) return place.replaceChildren();
  const { legend } = explorer.columnColoring();
  place.replaceChildren(
    ...legend.map(({ name, color, n }, i) => {
      const id = i < columns.column.names.length ? i : -1;
      const box = element("input", {
        type: "checkbox",
        value: String(id),
        checked: !columns.without.has(id),
        change: () => explorer.showCategory(id, box.checked),
      });
      const words = element("span", { class: "name" }, name);
      const count = element("span", { class: "count" }, grouped(n));
      return element("label", { class: "entry", title: name }, box, swatch(color), words, count);
    }),
  );
}

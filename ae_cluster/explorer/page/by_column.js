// @ts-check
/** A table's column as colour, and as what hides dots. */

import { byId, fillSelect, grouped, inputById, selectById } from "./dom.js";
import { say } from "./language.js";
import { shortened } from "./text.js";

/** @param {import("./state.js").Explorer} explorer */
export function listenToColumns(explorer) {
  const select = selectById("column");
  const [low, high] = ["column-low", "column-high"].map(inputById);
  const names = explorer.content.pictures.columns ?? [];
  const nameOf = (/** @type {number} */ i) => names[i] ?? say("column_n", { n: i + 1 });
  explorer.whenever(["language"], () =>
    fillSelect(
      select,
      Array.from({ length: explorer.columns.n }, (_, i) => shortened(nameOf(i), 60)),
    ),
  );
  const range = () => {
    const ends = [low, high].map(({ value }) => (value.trim() === "" ? NaN : Number(value)));
    const [from, to] = [ends[0], ends[1]];
    if (Number.isNaN(from) && Number.isNaN(to)) return null;
    return /** @type {[number, number]} */ ([
      Number.isNaN(from) ? -Infinity : from,
      Number.isNaN(to) ? Infinity : to,
    ]);
  };
  select.addEventListener("change", () => explorer.colorByColumn(Number(select.value)));
  for (const end of [low, high]) {
    end.addEventListener("input", () => explorer.showWithin(range()));
  }
  byId("column-all").addEventListener("click", () => explorer.showWithin(null));
  explorer.whenever(["samples", "coloring", "shown", "language"], () => {
    byId("by-column").hidden = !explorer.canColorBy("column");
    select.value = String(explorer.columns.number);
    const ends = explorer.columns.range ?? [-Infinity, Infinity];
    [low, high].forEach((end, i) => {
      if (end !== document.activeElement) end.value = Number.isFinite(ends[i]) ? String(ends[i]) : "";
    });
    byId("column-words").textContent = explorer.columns.range
      ? say("dots_shown", { n: grouped(explorer.shownRows().length), all: grouped(explorer.cloud.n) })
      : "";
  });
}

// @ts-check
/** What this browser keeps of the labels, and of clusters' names, between visits. */

/** A place in the browser's storage; what goes wrong with it is said, and nothing is lost. */
export class LabelStore {
  /**
   * @param {{run: string, data: string}} labelling
   * @param {string} what is kept
   */
  constructor({ run, data }, what = "labels") {
    this.key = `ae_cluster ${what} ${run || data}`;
    /** @type {"" | import("./language.js").Key} */
    this.problem = "";
  }

  /**
   * Give what was kept to a function that takes it.
   * @param {(text: string) => void} take
   */
  read(take) {
    try {
      const text = localStorage.getItem(this.key);
      if (text === null) return;
      try {
        take(text);
      } catch {
        this.problem = "storage_unreadable";
      }
    } catch {
      this.problem = "storage_forbidden";
    }
  }

  /** @param {string} text */
  write(text) {
    if (this.problem && !this.isFull) return;
    try {
      localStorage.setItem(this.key, text);
      this.problem = "";
    } catch (error) {
      this.isFull = error instanceof DOMException && error.name === "QuotaExceededError";
      this.problem = this.isFull ? "storage_full" : "storage_forbidden";
    }
  }

  isFull = false;

  /**
   * Act when another tab keeps something for this page.
   * @param {(text: string) => void} take
   */
  whenChangedElsewhere(take) {
    addEventListener("storage", ({ key, newValue }) => {
      if (key === this.key && newValue !== null) take(newValue);
    });
  }
}

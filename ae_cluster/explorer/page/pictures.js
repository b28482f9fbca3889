// @ts-check
/** Samples and decoded values on canvases: images pixel by pixel, a table's row as bars. */

import { unpacked } from "./arrays.js";
import { byId, inkOf, styleValue } from "./dom.js";

const MOST_NAMED = 8; // columns that stand out, in a row's title

/** The samples' own pictures, and the way to draw what the decoder says. */
export class Pictures {
  /** @param {import("./content.js").Pictured} given */
  constructor(given) {
    this.given = given;
    this.isTable = given.native === null;
    /** @type {Map<string, HTMLImageElement>} */
    this.sheets = new Map();
    this.tables = (given.tables ?? []).map((table) => table && unpacked(table));
    /** @type {{mean: number, spread: number}[] | null} */
    this.columns = null;
  }

  /** @param {number} cloud */
  has(cloud) {
    return this.isTable ? Boolean(this.tables[cloud]) : Boolean(this.given.sheets?.[cloud]?.length);
  }

  /**
   * Draw a sample itself; when its sheet is still being unpacked, a moment later.
   * @param {HTMLCanvasElement} canvas
   * @param {number} cloud
   * @param {number} row
   */
  drawSample(canvas, cloud, row) {
    if (this.isTable) return this.drawRow(canvas, cloud, row);
    const [height, width] = /** @type {number[]} */ (this.given.shape);
    const perSheet = /** @type {number} */ (this.given.per_sheet);
    const sheet = this.sheet(cloud, Math.floor(row / perSheet));
    [canvas.width, canvas.height] = [width, height];
    const draw = () => {
      const across = sheet.naturalWidth / width;
      const place = row % perSheet;
      const [x, y] = [(place % across) * width, Math.floor(place / across) * height];
      inkOf(canvas).drawImage(sheet, x, y, width, height, 0, 0, width, height);
    };
    if (sheet.complete) draw();
    else sheet.addEventListener("load", draw, { once: true });
  }

  /**
   * @param {number} cloud
   * @param {number} number
   */
  sheet(cloud, number) {
    const key = `${cloud}/${number}`;
    const known = this.sheets.get(key);
    if (known) return known;
    const image = new Image();
    const block = byId(/** @type {string} */ (this.given.sheets?.[cloud][number]));
    image.src = `data:image/png;base64,${block.textContent}`;
    this.sheets.set(key, image);
    return image;
  }

  /**
   * Draw what the decoder made of a code.
   * @param {HTMLCanvasElement} canvas
   * @param {Float32Array} values
   */
  drawDecoded(canvas, values) {
    if (this.given.native === null) return this.drawBars(canvas, values);
    const [height, width, depth] = this.given.native;
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    inkOf(canvas).putImageData(new ImageData(bytesOf(values, depth), width, height), 0, 0);
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} cloud
   * @param {number} row
   */
  drawRow(canvas, cloud, row) {
    const table = this.tables[cloud];
    if (!table) return;
    const size = this.given.tables?.[cloud]?.shape[1] ?? 1;
    this.drawBars(canvas, table.subarray(row * size, (row + 1) * size));
  }

  /**
   * Draw a table's row, and name the columns in which it stands out most.
   * @param {HTMLCanvasElement} canvas
   * @param {ArrayLike<number>} values
   */
  drawBars(canvas, values) {
    drawBars(canvas, values, this.spread());
    canvas.title = standsOut(values, this.spread(), this.given.columns ?? []);
  }

  /** The middle and spread of each column of a table, over the samples at hand. */
  spread() {
    this.columns ??= this.tables[0] ? columnsOf(this.tables[0], this.given) : [];
    return this.columns;
  }
}

/**
 * Bytes red, green, blue, alpha of values in [0, 1].
 * @param {Float32Array} values (height, width, depth), flat
 * @param {number} depth
 */
export function bytesOf(values, depth) {
  const n = values.length / depth;
  const bytes = new Uint8ClampedArray(4 * n);
  for (let i = 0; i < n; i++) {
    for (let channel = 0; channel < 3; channel++) {
      bytes[4 * i + channel] = Math.round(255 * values[i * depth + (depth >= 3 ? channel : 0)]);
    }
    bytes[4 * i + 3] = 255;
  }
  return bytes;
}

/**
 * @param {ArrayLike<number>} table
 * @param {import("./content.js").Pictured} given
 */
function columnsOf(table, given) {
  const [n, size] = given.tables?.[0]?.shape ?? [0, 0];
  return Array.from({ length: size }, (_, column) => {
    const values = Array.from({ length: n }, (_, row) => table[row * size + column]);
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
    return { mean, spread: spread || 1 };
  });
}

/**
 * Name the columns in which a row is farthest from the mean, with its values.
 * @param {ArrayLike<number>} values
 * @param {{mean: number, spread: number}[]} columns
 * @param {string[]} names
 */
export function standsOut(values, columns, names) {
  const distance = (/** @type {number} */ i) =>
    Math.abs(values[i] - columns[i].mean) / columns[i].spread;
  return names
    .map((name, i) => ({ name, i }))
    .filter(({ i }) => i < columns.length)
    .sort((a, b) => distance(b.i) - distance(a.i))
    .slice(0, MOST_NAMED)
    .map(({ name, i }) => `${name} ${Number(values[i].toPrecision(3))}`)
    .join("\n");
}

/**
 * Draw each column as a bar up or down from its mean, in standard deviations up to three.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values
 * @param {{mean: number, spread: number}[]} columns
 */
function drawBars(canvas, values, columns) {
  [canvas.width, canvas.height] = [144, 144];
  const ink = inkOf(canvas);
  const wide = canvas.width / values.length;
  const middle = canvas.height / 2;
  ink.fillStyle = styleValue("--ground");
  ink.fillRect(0, 0, canvas.width, canvas.height);
  ink.fillStyle = styleValue("--accent");
  for (let i = 0; i < values.length; i++) {
    const { mean, spread } = columns[i] ?? { mean: 0, spread: 1 };
    const height = Math.max(-3, Math.min(3, (values[i] - mean) / spread)) * (middle / 3);
    ink.fillRect(
      i * wide,
      Math.min(middle, middle - height),
      Math.max(1, wide - 1),
      Math.abs(height),
    );
  }
  ink.fillStyle = styleValue("--faint");
  ink.fillRect(0, middle, canvas.width, 1);
}

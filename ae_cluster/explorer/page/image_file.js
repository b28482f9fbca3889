// @ts-check
/** An image in a file as the numbers that the encoder takes, or a sentence on why not. */

import { inkOf, element, grouped } from "./dom.js";
import { say } from "./language.js";
import { drafted, greyOf, overWhite, resized } from "./resizing.js";

const MOST_BYTES = 2 ** 28; // as ae_cluster/datasets/image_files.py has it
const MOST_PIXELS = 50_000_000;
const WEBP_PLACE = 8; // after RIFF and a length

/** A file that cannot be taken; the message is for the one who gave it. */
export class ImageFileError extends Error {}

/**
 * The image in a file, upright, over white and in the size of the data.
 * @param {Blob} file
 * @param {number[]} shape height, width and channels of the data's images
 * @returns {Promise<Float32Array>} values in [0, 1]
 */
export async function imageIn(file, [height, width, depth]) {
  if (file.size > MOST_BYTES) throw new ImageFileError(say("image_too_long", { n: grouped(MOST_BYTES) }));
  const head = new Uint8Array(await file.slice(0, 32).arrayBuffer());
  const kind = kindOf(head);
  const [wide, high] = kind === "PNG" ? [16, 20].map((at) => new DataView(head.buffer).getUint32(at)) : [0, 0];
  if (wide * high > MOST_PIXELS) throw tooLarge(high, wide);
  const pixels = await pixelsOf(file, kind === "PNG" && (head[25] & 4) > 0);
  const given = kind === "JPEG" ? drafted(pixels, width, height) : pixels;
  const small = resized(given, width, height);
  const opaque = small.depth === 4 ? overWhite(small) : small;
  const { values } = depth < 3 ? greyOf(opaque) : opaque;
  return Float32Array.from(values, (value) => value / 255);
}

/** @param {Uint8Array} head of a file */
function kindOf(head) {
  const starts = (/** @type {string} */ text, at = 0) =>
    [...text].every((letter, i) => head[at + i] === letter.charCodeAt(0));
  if (starts("\x89PNG") && head.length === 32) return "PNG";
  if (starts("\xff\xd8\xff")) return "JPEG";
  if (starts("RIFF") && starts("WEBP", WEBP_PLACE)) return "WebP";
  if (starts("BM")) return "BMP";
  if (starts("II*\0") || starts("MM\0*")) {
    throw new ImageFileError(say("image_tiff"));
  }
  throw new ImageFileError(say("image_of_no_kind"));
}

/**
 * The pixels as the file has them: no profile of colours is applied, EXIF’s orientation is.
 * @param {Blob} file
 * @param {boolean} hasAlpha
 * @returns {Promise<import("./resizing.js").Pixels>}
 */
async function pixelsOf(file, hasAlpha) {
  const bitmap = await createImageBitmap(file, {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  }).catch(() => {
    throw new ImageFileError(say("image_damaged"));
  });
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) throw tooLarge(height, width);
  const canvas = element("canvas", { width: String(width), height: String(height) });
  const ink = canvas.getContext("2d", { willReadFrequently: true }) ?? inkOf(canvas);
  ink.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = ink.getImageData(0, 0, width, height);
  if (hasAlpha || isTransparent(data)) return { values: data, width, height, depth: 4 };
  const values = new Uint8Array(3 * width * height);
  for (let i = 0, at = 0; i < values.length; i += 3, at += 4) {
    values[i] = data[at];
    values[i + 1] = data[at + 1];
    values[i + 2] = data[at + 2];
  }
  return { values, width, height, depth: 3 };
}

/** @param {Uint8ClampedArray} data red, green, blue, alpha */
function isTransparent(data) {
  for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return true;
  return false;
}

/** @param {number} height @param {number} width */
function tooLarge(height, width) {
  return new ImageFileError(
    say("image_too_large", {
      height: grouped(height),
      width: grouped(width),
      most: grouped(MOST_PIXELS),
    }),
  );
}

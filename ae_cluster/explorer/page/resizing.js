// @ts-check
/**
 * Images in another size, with the numbers that Pillow gives (bilinear, reducing_gap 3): so does
 * ae_cluster/datasets/image_files.py read folders of images. Some versions of Pillow go down the
 * columns before they go along the rows, and come to numbers that differ by one.
 */

const GAP = 3; // times as large as wanted: that is left after whole blocks are averaged
const PRECISION = 2 ** 22;

/** @typedef {{values: Uint8Array | Uint8ClampedArray, width: number, height: number, depth: number}} Pixels */

/**
 * @param {Pixels} pixels of 3 channels, or of 4 with what is transparent
 * @param {number} width
 * @param {number} height
 * @returns {Pixels}
 */
export function resized(pixels, width, height) {
  if (pixels.width === width && pixels.height === height) return pixels;
  if (pixels.depth === 4) return unmultiplied(scaled(multiplied(pixels), width, height));
  return scaled(pixels, width, height);
}

/**
 * A JPEG that is much larger than wanted, at a half, a quarter or an eighth: so is it decoded there.
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 */
export function drafted(pixels, width, height) {
  const least = Math.min(pixels.width, pixels.height);
  const times = Math.floor(least / (2 * Math.max(width, height)));
  const part = [8, 4, 2].find((size) => times >= size);
  return part ? reduced(pixels, part, part) : pixels;
}

/**
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 */
function scaled(pixels, width, height) {
  const across = Math.floor(pixels.width / width / GAP) || 1;
  const down = Math.floor(pixels.height / height / GAP) || 1;
  const small = across > 1 || down > 1 ? reduced(pixels, across, down) : pixels;
  return interpolated(small, width, height, pixels.width / across, pixels.height / down);
}

/**
 * The means of blocks of pixels; at the right and lower edges of what is left.
 * @param {Pixels} pixels
 * @param {number} across
 * @param {number} down
 * @returns {Pixels}
 */
function reduced({ values, width, height, depth }, across, down) {
  const [newWidth, newHeight] = [Math.ceil(width / across), Math.ceil(height / down)];
  const found = new Uint8Array(newWidth * newHeight * depth);
  for (let y = 0; y < newHeight; y++) {
    const bottom = Math.min(height, (y + 1) * down);
    for (let x = 0; x < newWidth; x++) {
      const right = Math.min(width, (x + 1) * across);
      const n = (bottom - y * down) * (right - x * across);
      const multiplier = Math.floor(Math.fround(2 ** 24 / n));
      for (let channel = 0; channel < depth; channel++) {
        let sum = Math.floor(n / 2);
        for (let row = y * down; row < bottom; row++) {
          const end = (row * width + right) * depth + channel;
          for (let i = (row * width + x * across) * depth + channel; i < end; i += depth) sum += values[i];
        }
        found[(y * newWidth + x) * depth + channel] = Math.floor((sum * multiplier) / 2 ** 24);
      }
    }
  }
  return { values: found, width: newWidth, height: newHeight, depth };
}

/**
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} wide how much of the pixels counts
 * @param {number} high
 * @returns {Pixels}
 */
function interpolated(pixels, width, height, wide, high) {
  const { depth } = pixels;
  const flat = alongRows(pixels.values, pixels.height, pixels.width, depth, width, wide);
  // Columns are rows of the image turned over, with as many values to a step as it is wide.
  const turned = alongColumns(flat, pixels.height, width * depth, height, high);
  return { values: turned, width, height, depth };
}

/**
 * @param {Uint8Array | Uint8ClampedArray} values (height, width, depth)
 * @param {number} height
 * @param {number} width
 * @param {number} depth
 * @param {number} newWidth
 * @param {number} wide
 */
function alongRows(values, height, width, depth, newWidth, wide) {
  if (newWidth === width && wide === width) return values;
  const weights = weightsOf(width, wide, newWidth);
  const found = new Uint8Array(height * newWidth * depth);
  for (let y = 0; y < height; y++) {
    weights.forEach(({ first, shares }, x) => {
      for (let channel = 0; channel < depth; channel++) {
        let sum = PRECISION / 2;
        let i = (y * width + first) * depth + channel;
        for (const share of shares) {
          sum += share * values[i];
          i += depth;
        }
        found[(y * newWidth + x) * depth + channel] = byteOf(sum);
      }
    });
  }
  return found;
}

/**
 * @param {Uint8Array | Uint8ClampedArray} values (height, stride)
 * @param {number} height
 * @param {number} stride
 * @param {number} newHeight
 * @param {number} high
 */
function alongColumns(values, height, stride, newHeight, high) {
  if (newHeight === height && high === height) return values;
  const found = new Uint8Array(newHeight * stride);
  weightsOf(height, high, newHeight).forEach(({ first, shares }, y) => {
    for (let x = 0; x < stride; x++) {
      let sum = PRECISION / 2;
      shares.forEach((share, i) => (sum += share * values[(first + i) * stride + x]));
      found[y * stride + x] = byteOf(sum);
    }
  });
  return found;
}

/** @param {number} sum in units of 1 / PRECISION */
const byteOf = (sum) => Math.max(0, Math.min(255, Math.floor(sum / PRECISION)));

/**
 * Which pixels each new one is made of, and their shares in whole units of 1 / PRECISION.
 * @param {number} n how many there are
 * @param {number} long how much of them counts
 * @param {number} newN
 */
function weightsOf(n, long, newN) {
  const scale = Math.fround(long) / newN;
  const support = Math.max(1, scale);
  return Array.from({ length: newN }, (_, place) => {
    const center = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(n, Math.trunc(center + support + 0.5));
    const weights = Array.from({ length: end - first }, (_, i) =>
      Math.max(0, 1 - Math.abs((i + first - center + 0.5) / support)),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, shares: weights.map((weight) => Math.floor(0.5 + (weight / total) * PRECISION)) };
  });
}

/** The product of two bytes over 255. @param {number} a @param {number} b */
const product = (a, b) => {
  const sum = a * b + 128;
  return ((sum >> 8) + sum) >> 8;
};

/** @param {Pixels} pixels */
function multiplied({ values, ...shape }) {
  const found = Uint8Array.from(values, (value, i) => (i % 4 === 3 ? value : product(value, values[i | 3])));
  return { values: found, ...shape };
}

/** @param {Pixels} pixels */
function unmultiplied({ values, ...shape }) {
  const found = Uint8Array.from(values, (value, i) => {
    const alpha = values[i | 3];
    return i % 4 === 3 || alpha === 0 || alpha === 255 ? value : Math.min(255, Math.trunc((255 * value) / alpha));
  });
  return { values: found, ...shape };
}

/**
 * What is transparent over white.
 * @param {Pixels} pixels of 4 channels
 * @returns {Pixels}
 */
export function overWhite({ values, width, height }) {
  const found = new Uint8Array(3 * width * height);
  for (let i = 0; i < found.length; i++) {
    const at = 4 * Math.floor(i / 3);
    const alpha = values[at + 3];
    const sum = 255 * (255 - alpha) + values[at + (i % 3)] * alpha + 128;
    found[i] = ((sum >> 8) + sum) >> 8;
  }
  return { values: found, width, height, depth: 3 };
}

/**
 * Grey as ITU-R 601-2 has it.
 * @param {Pixels} pixels of 3 channels
 * @returns {Pixels}
 */
export function greyOf({ values, width, height }) {
  const found = Uint8Array.from({ length: width * height }, (_, i) => {
    const [red, green, blue] = [values[3 * i], values[3 * i + 1], values[3 * i + 2]];
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  });
  return { values: found, width, height, depth: 1 };
}

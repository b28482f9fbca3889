// @ts-check
/** Arrays of numbers that travel as text. */

/**
 * @typedef {{kind: "u2" | "i1" | "i2" | "i4" | "f2" | "f4" | "f8", shape: number[], data: string}} Packed
 * @typedef {{low: number[], extent: number[], steps: Packed}} PackedPlaces
 */

const KINDS = {
  u2: Uint16Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  f2: Uint16Array,
  f4: Float32Array,
  f8: Float64Array,
};

/**
 * Numbers from base64 of their little-endian bytes.
 * @param {Packed} packed
 */
export function unpacked(packed) {
  const text = atob(packed.data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  const numbers = new KINDS[packed.kind](bytes.buffer);
  return packed.kind === "f2" ? Float32Array.from(numbers, fromHalf) : numbers;
}

/**
 * What is unpacked when it is first asked for, and kept.
 * @template T
 * @param {() => T} unpack
 */
export function whenAsked(unpack) {
  /** @type {T | undefined} */
  let kept;
  return () => (kept ??= unpack());
}

/**
 * The number that 16 bits stand for (IEEE 754 binary16).
 * @param {number} bits
 */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}

/**
 * @param {Packed | null} packed
 * @returns {Int32Array | null}
 */
export function unpackedIds(packed) {
  return packed && Int32Array.from(unpacked(packed));
}

/**
 * @param {Packed | null} packed
 * @returns {Float32Array | null}
 */
export function unpackedFloats(packed) {
  return packed && /** @type {Float32Array} */ (unpacked(packed));
}

/**
 * Places x, y, z one after the other, from steps along each axis.
 * @param {PackedPlaces} packed
 */
export function unpackedPlaces({ low, extent, steps }) {
  const whole = unpacked(steps);
  const places = new Float32Array(whole.length);
  for (let i = 0; i < whole.length; i++) {
    places[i] = low[i % 3] + (whole[i] / 65535) * extent[i % 3];
  }
  return places;
}

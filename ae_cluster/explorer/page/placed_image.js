// @ts-check
/** A user's image among the dots: its code and its cluster by the method that is shown. */

/**
 * @typedef {{name: string, values: Float32Array}} PlacedImage
 * @typedef {{code: Float32Array, cluster: number | null}} Placed
 */

/** @type {WeakMap<PlacedImage, Map<number, Placed>>} by the method */
const known = new WeakMap();

/**
 * Where the image lies; null without an image or an encoder.
 * @param {import("./state.js").Explorer} explorer
 * @returns {Placed | null}
 */
export function placedIn({ image, encode, method, methodNumber }) {
  if (!image || !encode) return null;
  const places = known.get(image) ?? new Map();
  known.set(image, places);
  if (!places.has(methodNumber)) {
    const code = encode(image.values);
    places.set(methodNumber, { code, cluster: method.clusterOf ? method.clusterOf(code) : null });
  }
  return places.get(methodNumber) ?? null;
}

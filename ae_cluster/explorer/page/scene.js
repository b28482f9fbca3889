// @ts-check
/** The dots, drawn by three.js. */

import { FIRST_DISTANCE, eyeOf } from "./geometry.js";

const FIELD_OF_VIEW = 35;

const VERTEX = `
  attribute vec4 color;
  uniform float size;
  uniform float reference;
  varying vec3 paint;
  varying float far;
  varying float faded;
  varying float wide;
  void main() {
    vec4 seen = modelViewMatrix * vec4(position, 1.0);
    gl_Position = projectionMatrix * seen;
    faded = color.a < 0.7 ? 1.0 : 0.0;
    // What is faded lies behind everything that is not.
    if (faded > 0.5) gl_Position.z = gl_Position.w * (0.998 + 0.001 * gl_Position.z / gl_Position.w);
    if (color.a < 0.1) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    gl_PointSize = clamp(size * reference / -seen.z, 1.5, 60.0) * (faded > 0.5 ? 0.7 : 1.0);
    wide = gl_PointSize;
    paint = color.rgb;
    far = clamp((-seen.z / reference - 0.72) / 0.75, 0.0, 1.0);
  }`;

const FRAGMENT = `
  uniform vec3 ground;
  uniform float fading;
  varying vec3 paint;
  varying float far;
  varying float faded;
  varying float wide;
  void main() {
    vec2 place = 2.0 * gl_PointCoord - 1.0;
    float square = dot(place, place);
    if (square > 1.0) discard;
    float shine = 0.80 + 0.24 * sqrt(1.0 - square) - 0.06 * place.y;
    vec3 lit = mix(paint * min(shine, 1.06), ground, 0.42 * far);
    // A soft edge, and on larger dots a thin rim that sets them apart from those behind.
    float inward = (1.0 - sqrt(square)) * wide / 2.0;
    float rim = (1.0 - smoothstep(0.6, 1.6, inward)) * step(7.0, wide);
    vec3 seen = mix(mix(lit, ground, fading * faded), ground, 0.6 * rim);
    gl_FragColor = vec4(seen, smoothstep(0.0, 0.9, inward));
  }`;

/** Dots at places, each with a colour of its own. */
export class Scene {
  /**
   * @param {HTMLCanvasElement} canvas
   * @throws where the browser has no WebGL
   */
  constructor(canvas) {
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: false });
    this.renderer.outputColorSpace = "srgb-linear"; // colours are shown as they are given
    this.camera = new THREE.PerspectiveCamera(FIELD_OF_VIEW, 1, 0.1, 100);
    this.camera.up.set(0, 0, 1);
    this.uniforms = {
      size: { value: 1 },
      reference: { value: 1 },
      ground: { value: new THREE.Color() },
      fading: { value: 0.8 },
    };
    const material = new THREE.ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      uniforms: this.uniforms,
      transparent: true,
    });
    this.points = new THREE.Points(new THREE.BufferGeometry(), material);
    this.points.frustumCulled = false;
    this.scene = new THREE.Scene();
    this.scene.add(this.points);
    /** @type {import("three").BufferAttribute | null} all dots in an order by chance, of which the first are drawn */
    this.order = null;
    this.width = this.height = 1;
    this.ratio = 0; // no size was taken yet
    this.dot = 1;
  }

  /**
   * Take places for as many dots as there are; all are forgotten that were there before.
   * @param {Float32Array} places
   */
  setPlaces(places) {
    const n = places.length / 3;
    const { geometry } = this.points;
    const old = geometry.getAttribute("position");
    if (old && old.count === n) {
      old.array.set(places);
      old.needsUpdate = true;
    } else {
      geometry.dispose();
      this.points.geometry = new THREE.BufferGeometry();
      this.points.geometry.setAttribute("position", new THREE.BufferAttribute(places.slice(), 3));
    }
    this.dot = Math.max(3, Math.min(11, 125 / n ** 0.35));
  }

  /** @param {Uint8Array} colors red, green, blue and how much it is shown, one after the other */
  setColors(colors) {
    const { geometry } = this.points;
    const old = geometry.getAttribute("color");
    if (old && old.count === colors.length / 4) {
      old.array.set(colors);
      old.needsUpdate = true;
    } else {
      geometry.setAttribute("color", new THREE.BufferAttribute(colors.slice(), 4, true));
    }
  }

  /**
   * Take a size; a new one empties the canvas.
   * @param {number} width
   * @param {number} height
   * @param {number} ratio pixels of the screen to one of the page
   * @returns {boolean} whether it is a new one
   */
  setSize(width, height, ratio) {
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    this.ratio = ratio;
    [this.width, this.height] = [width, height];
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    return true;
  }

  /** @param {string} color of the page behind the dots */
  setGround(color) {
    this.uniforms.ground.value.setStyle(color, "srgb-linear");
    this.renderer.setClearColor(this.uniforms.ground.value);
  }

  /**
   * Look from somewhere; `matrix` follows.
   * @param {import("./geometry.js").View} view
   * @param {number} radius of what is looked at
   */
  look(view, radius) {
    // A tall narrow stage is looked at from further away, so that the sides are still on it.
    const distance = view.distance * Math.max(1, 0.92 / this.camera.aspect);
    this.camera.position.set(...eyeOf({ ...view, distance }));
    this.camera.lookAt(...view.target);
    this.camera.near = Math.max(distance - 12 * radius, distance / 200);
    this.camera.far = distance + 12 * radius;
    this.camera.updateProjectionMatrix();
    this.camera.updateMatrixWorld();
    const nearer = Math.sqrt((FIRST_DISTANCE * radius) / view.distance);
    this.uniforms.size.value = this.dot * nearer * this.renderer.getPixelRatio();
    this.uniforms.reference.value = distance;
  }

  /** From places to clip space, (4, 4) by columns. */
  get matrix() {
    const { projectionMatrix, matrixWorldInverse } = this.camera;
    return projectionMatrix.clone().multiply(matrixWorldInverse).elements;
  }

  draw() {
    this.showSome(Infinity);
    this.renderer.render(this.scene, this.camera);
  }

  /**
   * Draw at most so many dots, the same ones of more each time, and wait until they are drawn.
   * @param {number} most
   * @returns {number} milliseconds that it took
   */
  drawSome(most) {
    this.showSome(most);
    const start = performance.now();
    this.renderer.render(this.scene, this.camera);
    const context = this.renderer.getContext();
    context.readPixels(0, 0, 1, 1, context.RGBA, context.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now() - start;
  }

  /** How many dots there are. */
  get n() {
    return this.points.geometry.getAttribute("position").count;
  }

  /** @param {number} most */
  showSome(most) {
    const { geometry } = this.points;
    if (most >= this.n) {
      geometry.setIndex(null);
      geometry.setDrawRange(0, Infinity);
      return;
    }
    if (this.order?.count !== this.n) this.order = new THREE.BufferAttribute(shuffled(this.n), 1);
    geometry.setIndex(this.order);
    geometry.setDrawRange(0, most);
  }
}

/**
 * The numbers below n in an order by chance, always the same one.
 * @param {number} n
 */
function shuffled(n) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let state = 1;
  for (let i = n - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // as Numerical Recipes have it
    const other = Math.floor((state / 2 ** 32) * (i + 1));
    const kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  return order;
}

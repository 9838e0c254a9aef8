// The two networks of the package, run by onnxruntime-web in a worker, so that the page stays awake.

import * as ort from "./onnxruntime/ort.wasm.min.mjs";
import { mix, mixAdapters, unit } from "./codes.js";
import { blendMaps, distance, palette, recolorUnder, transport } from "./color.js";
import { resized, toImage, toPixels } from "./picture.js";
import { readStyle } from "./style.js";

ort.env.wasm.wasmPaths = new URL("onnxruntime/", import.meta.url).href;
ort.env.wasm.proxy = true;
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;

export class Painter {
  static async load() {
    const painter = new Painter();
    painter.book = await (await fetch("styles.json")).json();
    painter.files = new Map();
    painter.encoder = await ort.InferenceSession.create("encoder.onnx");
    painter.stylizer = await ort.InferenceSession.create("stylizer.onnx");
    painter.turn = Promise.resolve();
    return painter;
  }

  // A style of the package, fetched when it is first asked for.
  style(name) {
    if (!this.files.has(name)) {
      const style = readStyle(`styles/${encodeURIComponent(name)}.safetensors`);
      this.files.set(name, style);
      style.catch(() => this.files.delete(name)); // the next try may have a network
    }
    return this.files.get(name);
  }

  // The style of an image: its code and its colours, and no adapter.
  async look(image) {
    const { code } = await this.run(this.encoder, { picture: tensor(image) });
    return { codes: [unit(Array.from(code.data))], palettes: [palette(image, this.book.statistics)], adapter: {} };
  }

  // The size at which a picture of this size is painted, for strokes of `short` pixels of the shorter side.
  workingSize(width, height, short = this.book.size) {
    const scale = Math.min(short / Math.min(width, height), (this.book.panorama * short) / Math.max(width, height));
    return [width, height].map((side) => Math.max(Math.round(side * scale), 1));
  }

  // Paint a picture by styles and their weights; `small` is the picture at its working size.
  async strokes(small, styles, weights) {
    const total = weights.reduce((a, b) => a + b);
    const shares = weights.map((weight) => weight / total);
    const { statistics, regularizer, tone, color } = this.book;
    const gate = Math.min(total, 1);
    const photo = palette(small, statistics);
    const chosen = styles.map(({ palettes }) => nearest(palettes, photo));
    const maps = styles.map(({ palettes }, k) => palettes.length && transport(photo, palettes[chosen[k]], gate * tone, gate * color, regularizer));
    const map = blendMaps(maps, shares);
    const code = Float32Array.from(mix(styles.map(({ codes }, k) => codes[chosen[k]]), weights));
    const factors = mixAdapters(styles.map(({ adapter }) => adapter), shares, this.book.adapter);
    const { painting } = await this.run(this.stylizer, {
      photo: tensor(small),
      matrix: new ort.Tensor(Float32Array.from(map.matrix.flat()), [3, 3]),
      offset: new ort.Tensor(Float32Array.from(map.offset), [3]),
      kept: new ort.Tensor(Float32Array.of(1 - color), [1]),
      code: new ort.Tensor(code, [1, code.length]),
      ...Object.fromEntries(Object.entries(factors).map(([name, { data, shape }]) => [name, new ort.Tensor(data, shape)])),
    });
    return { image: toImage(painting.data, small), map, gate };
  }

  // The painting of a whole picture: strokes at one size, enlarged to that of `image`, over its own recoloured pixels where the
  // strength is less than 1.
  finish(image, { image: painting, map, gate }) {
    const large = resized(painting, image.width, image.height);
    if (gate < 1) recolorUnder(large, image, map, gate, this.book.luma, this.book.knee);
    for (let i = 3; i < large.data.length; i += 4) large.data[i] = image.data[i];
    return large;
  }

  // One run at a time, in the order of their calls.
  run(session, inputs) {
    const result = this.turn.then(() => session.run(inputs));
    this.turn = result.catch(() => {});
    return result;
  }
}

function nearest(palettes, photo) {
  const distances = palettes.map((one) => distance(one, photo));
  return Math.max(distances.indexOf(Math.min(...distances)), 0);
}

function tensor(image) {
  const { pixels, width, height } = toPixels(image);
  return new ort.Tensor(pixels, [1, 3, height, width]);
}

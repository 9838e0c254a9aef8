// The two networks of the package, run by onnxruntime-web in a worker, so that the page stays awake.

import * as ort from "./onnxruntime/ort.wasm.min.mjs";
import { choose, mix, unit } from "./codes.js";
import { toImage, toPixels } from "./picture.js";

ort.env.wasm.wasmPaths = new URL("onnxruntime/", import.meta.url).href;
ort.env.wasm.proxy = true;
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;

export class Painter {
  static async load() {
    const painter = new Painter();
    const { styles, temperature } = await (await fetch("styles.json")).json();
    painter.temperature = temperature;
    painter.styles = new Map(styles.map(({ name, codes }) => [name, codes]));
    painter.encoder = await ort.InferenceSession.create("encoder.onnx");
    painter.stylizer = await ort.InferenceSession.create("stylizer.onnx");
    painter.looks = new WeakMap();
    painter.turn = Promise.resolve();
    return painter;
  }

  // The code of an image's own style.
  async look(image) {
    if (!this.looks.has(image)) {
      const { code } = await this.run(this.encoder, { picture: tensor(image) });
      this.looks.set(image, Array.from(code.data));
    }
    return this.looks.get(image);
  }

  // Paint an image by styles, each some exemplar codes, and their weights; weights of 0 return the image itself.
  async paint(image, styles, weights) {
    const codes = [];
    for (const exemplars of styles) {
      codes.push(exemplars.length > 1 ? choose(exemplars, await this.look(image), this.temperature) : unit(exemplars[0]));
    }
    const code = Float32Array.from(mix(codes, weights));
    const { painting } = await this.run(this.stylizer, { photo: tensor(image), code: new ort.Tensor(code, [1, code.length]) });
    return toImage(painting.data, image);
  }

  // One run at a time, in the order of their calls.
  run(session, inputs) {
    const result = this.turn.then(() => session.run(inputs));
    this.turn = result.catch(() => {});
    return result;
  }
}

function tensor(image) {
  return new ort.Tensor(toPixels(image), [1, 3, image.height, image.width]);
}

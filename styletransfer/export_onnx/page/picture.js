// Files to pixels and back. Networks see (1, 3, H, W) in [-1, 1]; canvases see RGBA bytes.

export class Picture {
  constructor(bitmap) {
    this.bitmap = bitmap; // upright, whatever the camera noted
    this.sizes = new Map();
  }

  static async read(file) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      throw new Refusal("unreadable");
    }
    if (Math.min(bitmap.width, bitmap.height) < 16) throw new Refusal("small");
    return new Picture(bitmap);
  }

  // The picture with its longer side shrunk to `side` pixels, kept for the next time.
  within(side) {
    if (!this.sizes.has(side)) this.sizes.set(side, this.scaled(side / Math.max(this.bitmap.width, this.bitmap.height)));
    return this.sizes.get(side);
  }

  // The picture with at most `most` pixels.
  atMost(most) {
    return this.scaled(Math.sqrt(most / (this.bitmap.width * this.bitmap.height)));
  }

  scaled(scale) {
    const [width, height] = [this.bitmap.width, this.bitmap.height].map((side) => Math.max(Math.floor(side * Math.min(scale, 1)), 16));
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(this.bitmap, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }
}

// What people see as a sentence of words.js.
export class Refusal extends Error {}

export function toPixels({ data, width, height }) {
  const plane = width * height;
  const pixels = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) pixels[c * plane + i] = data[4 * i + c] / 127.5 - 1;
  }
  return pixels;
}

// `pixels` as a picture with the transparency of the image they come from.
export function toImage(pixels, { data, width, height }) {
  const plane = width * height;
  const image = new ImageData(width, height); // its bytes round and clamp
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = (pixels[c * plane + i] + 1) * 127.5;
    image.data[4 * i + 3] = data[4 * i + 3];
  }
  return image;
}

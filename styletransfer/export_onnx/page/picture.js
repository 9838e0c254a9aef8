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

  // The picture at a size, kept for the next time.
  sized(width, height) {
    const key = `${width} ${height}`;
    if (!this.sizes.has(key)) this.sizes.set(key, scaled(this.bitmap, width, height));
    return this.sizes.get(key);
  }

  // The picture with its longer side shrunk to `side` pixels.
  within(side) {
    return this.shrunk(side / Math.max(this.bitmap.width, this.bitmap.height));
  }

  // The picture with at most `most` pixels.
  atMost(most) {
    return this.shrunk(Math.sqrt(most / (this.bitmap.width * this.bitmap.height)));
  }

  shrunk(scale) {
    return scaled(this.bitmap, ...[this.bitmap.width, this.bitmap.height].map((side) => Math.max(Math.floor(side * Math.min(scale, 1)), 1)));
  }
}

function scaled(source, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

// A copy of an image at another size.
export function resized(image, width, height) {
  if (image.width === width && image.height === height) return new ImageData(image.data.slice(), width, height);
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return scaled(canvas, width, height);
}

// What people see as a sentence of words.js.
export class Refusal extends Error {}

// Colours of an image, grown to at least 16 x 16 pixels by repeating its last row and column.
export function toPixels({ data, width: columns, height: rows }) {
  const [width, height] = [Math.max(columns, 16), Math.max(rows, 16)];
  const plane = width * height;
  const pixels = new Float32Array(3 * plane);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const at = 4 * (Math.min(y, rows - 1) * columns + Math.min(x, columns - 1));
      for (let c = 0; c < 3; c++) pixels[c * plane + i] = data[at + c] / 127.5 - 1;
    }
  }
  return { pixels, width, height };
}

// `pixels` as an opaque picture of the size of the image they come from.
export function toImage(pixels, { width, height }) {
  const [row, plane] = [Math.max(width, 16), Math.max(width, 16) * Math.max(height, 16)];
  const image = new ImageData(width, height); // its bytes round and clamp
  for (let i = 0; i < width * height; i++) {
    const at = Math.floor(i / width) * row + (i % width);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = (pixels[c * plane + at] + 1) * 127.5;
    image.data[4 * i + 3] = 255;
  }
  return image;
}

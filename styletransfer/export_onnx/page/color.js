// Colours in closed form, as in styletransfer/color.py: palettes, the map between two, and pictures under it. Matrices are rows.

const EYE = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
const AXES = [0, 1, 2];
const times = (a, b) => a.map((row) => AXES.map((j) => AXES.reduce((sum, k) => sum + row[k] * b[k][j], 0)));
const apply = (matrix, vector) => matrix.map((row) => AXES.reduce((sum, k) => sum + row[k] * vector[k], 0));
const combine = (a, b, use) => a.map((row, i) => row.map((value, j) => use(value, b[i][j])));

// Mean and covariance of an image's colours in [-1, 1]; a large one is averaged down first.
export function palette({ data, width, height }, most) {
  const shrink = Math.max(Math.floor(Math.min(width, height) / most), 1);
  const [columns, rows] = [Math.floor(width / shrink), Math.floor(height / shrink)];
  const [sum, products] = [[0, 0, 0], EYE.map((row) => row.map(() => 0))];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const colour = [0, 0, 0];
      for (let v = 0; v < shrink; v++) {
        for (let u = 0; u < shrink; u++) {
          const at = 4 * ((y * shrink + v) * width + x * shrink + u);
          for (let c = 0; c < 3; c++) colour[c] += data[at + c];
        }
      }
      for (let c = 0; c < 3; c++) colour[c] = colour[c] / (127.5 * shrink * shrink) - 1;
      for (let c = 0; c < 3; c++) {
        sum[c] += colour[c];
        for (let d = 0; d <= c; d++) products[c][d] += colour[c] * colour[d];
      }
    }
  }
  const mean = sum.map((value) => value / (rows * columns));
  const half = (c, d) => products[Math.max(c, d)][Math.min(c, d)] / (rows * columns) - mean[c] * mean[d];
  return { mean, covariance: AXES.map((c) => AXES.map((d) => half(c, d))) };
}

// A function of the eigenvalues of a symmetric matrix, by Jacobi's rotations.
function spectral(matrix, use) {
  let [values, vectors] = [matrix.map((row) => [...row]), EYE];
  for (let sweep = 0; sweep < 12; sweep++) {
    for (const [p, q] of [[0, 1], [0, 2], [1, 2]]) {
      if (Math.abs(values[p][q]) < 1e-15) continue;
      const angle = 0.5 * Math.atan2(2 * values[p][q], values[q][q] - values[p][p]);
      const turn = EYE.map((row) => [...row]);
      turn[p][p] = turn[q][q] = Math.cos(angle);
      turn[p][q] = Math.sin(angle);
      turn[q][p] = -turn[p][q];
      values = times(times(transposed(turn), values), turn);
      vectors = times(vectors, turn);
    }
  }
  const scaled = vectors.map((row) => row.map((value, k) => value * use(Math.max(values[k][k], 0))));
  return times(scaled, transposed(vectors));
}

const transposed = (matrix) => AXES.map((i) => AXES.map((j) => matrix[j][i]));
const squareRoot = (matrix) => spectral(matrix, Math.sqrt);

// Squared 2-Wasserstein distance between two palettes.
export function distance(one, other) {
  const root = squareRoot(one.covariance);
  const cross = squareRoot(times(times(root, other.covariance), root));
  const spread = AXES.reduce((sum, i) => sum + one.covariance[i][i] + other.covariance[i][i] - 2 * cross[i][i], 0);
  return AXES.reduce((sum, i) => sum + (one.mean[i] - other.mean[i]) ** 2, Math.max(spread, 0));
}

// The affine map that moves colours of `source` towards `target`: `tone` lightness, `color` the rest.
export function transport(source, target, tone, color, regularizer) {
  const [start, end] = [source, target].map(({ covariance }) => combine(covariance, EYE, (value, one) => value + regularizer * one));
  const root = squareRoot(start);
  const inverse = spectral(start, (value) => 1 / Math.sqrt(value));
  const full = times(times(inverse, squareRoot(times(times(root, end), root))), inverse);
  const amount = EYE.map((row) => row.map((one) => tone / 3 + color * (one - 1 / 3)));
  const matrix = combine(EYE, times(amount, combine(full, EYE, (a, b) => a - b)), (a, b) => a + b);
  const moved = apply(full, source.mean);
  return { matrix, offset: apply(amount, target.mean.map((value, i) => value - moved[i])) };
}

// The mean of several maps by their shares; what has no map keeps its colours.
export function blendMaps(maps, shares) {
  let [matrix, offset] = [EYE, [0, 0, 0]];
  maps.forEach((map, k) => {
    if (!map) return;
    matrix = combine(matrix, combine(map.matrix, EYE, (a, b) => shares[k] * (a - b)), (a, b) => a + b);
    offset = offset.map((value, i) => value + shares[k] * map.offset[i]);
  });
  return { matrix, offset };
}

// An image under a map, mixed into `painting`, of which the part `gate` stays. Colours that leave the gamut are compressed.
export function recolorUnder(painting, { data }, { matrix, offset }, gate, [r, g, b], knee) {
  const [[a, d, e], [f, h, k], [m, n, o]] = matrix;
  const [u, v, w] = offset;
  const share = 127.5 * (1 - gate);
  for (let i = 0; i < data.length; i += 4) {
    const [x, y, z] = [data[i] / 127.5 - 1, data[i + 1] / 127.5 - 1, data[i + 2] / 127.5 - 1];
    const red = a * x + d * y + e * z + u;
    const green = f * x + h * y + k * z + v;
    const blue = m * x + n * y + o * z + w;
    const light = r * red + g * green + b * blue;
    const before = r * x + g * y + b * z;
    const squeezed = softLimit(light, before * Math.sign(light), knee);
    const reach = reachOf(red - light, green - light, blue - light, squeezed);
    const wanted = softLimit(reach, reachOf(x - before, y - before, z - before, before), knee);
    const scale = Math.min(wanted / Math.max(reach, 1e-6), 1);
    painting.data[i] = gate * painting.data[i] + share * (squeezed + scale * (red - light) + 1);
    painting.data[i + 1] = gate * painting.data[i + 1] + share * (squeezed + scale * (green - light) + 1);
    painting.data[i + 2] = gate * painting.data[i + 2] + share * (squeezed + scale * (blue - light) + 1);
  }
}

// How far chroma goes towards the edge of the gamut at a luma: 1 on the edge.
function reachOf(red, green, blue, luma) {
  const [above, below] = [Math.max(1 - luma, 1e-3), Math.max(1 + luma, 1e-3)];
  return Math.max(red > 0 ? red / above : -red / below, green > 0 ? green / above : -green / below, blue > 0 ? blue / above : -blue / below);
}

function softLimit(value, before, knee) {
  const start = Math.min(Math.max(before, knee), 0.999);
  const size = Math.abs(value);
  return size > start ? Math.sign(value) * (start + (1 - start) * Math.tanh((size - start) / (1 - start))) : value;
}

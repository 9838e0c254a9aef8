// Arithmetic of style codes, as in styletransfer/controls.py. Codes are arrays of floats with root mean square 1.

export function unit(code) {
  const rms = Math.sqrt(code.reduce((sum, value) => sum + value * value, 0) / code.length);
  return code.map((value) => value / Math.max(rms, 1e-6));
}

// One code of several exemplars: those nearest to the photo's own code, its look, weigh most.
export function choose(exemplars, look, temperature) {
  const distances = exemplars.map((code) => code.reduce((sum, value, i) => sum + (value - look[i]) ** 2, 0));
  const means = sum(exemplars, exemplars.map(() => 1 / exemplars.length));
  const squares = exemplars.map((code) => code.reduce((sum, value, i) => sum + (value - means[i]) ** 2, 0));
  const variance = Math.max(squares.reduce((a, b) => a + b) / exemplars.length, 1e-12);
  const nearest = Math.min(...distances);
  const shares = distances.map((distance) => Math.exp((nearest - distance) / (temperature * variance)));
  return unit(sum(exemplars, shares));
}

// Weighted sum of codes, with the sum of the weights as its root mean square.
export function mix(codes, weights) {
  const total = weights.reduce((a, b) => a + b);
  return unit(sum(codes, weights)).map((value) => total * value);
}

function sum(codes, weights) {
  return codes[0].map((_, i) => codes.reduce((total, code, k) => total + weights[k] * code[i], 0));
}

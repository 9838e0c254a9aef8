// Arithmetic of style codes and adapters, as in styletransfer/styles.py. Codes are arrays with root mean square 1.

export function unit(code) {
  const rms = Math.sqrt(code.reduce((sum, value) => sum + value * value, 0) / code.length);
  return code.map((value) => value / Math.max(rms, 1e-6));
}

// Weighted sum of codes, with the sum of the weights as its root mean square.
export function mix(codes, weights) {
  const total = weights.reduce((a, b) => a + b);
  const sum = codes[0].map((_, i) => codes.reduce((all, code, k) => all + weights[k] * code[i], 0));
  return unit(sum).map((value) => total * value);
}

// Factors of the weighted sum of several adapters. Those of a convolution are put side by side, which adds their products:
// [share a, share b] and [down a; down b]. `shapes` names all that the stylizer takes; what an adapter lacks is zero.
export function mixAdapters(adapters, shares, shapes) {
  const mixed = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const scaled = (adapter, share) => adapter[name].data.map((value) => share * value);
    const given = adapters.map((adapter, k) => [adapter, shares[k]]).filter(([adapter]) => adapter[name]);
    const empty = (size) => ({ data: new Float32Array(size.reduce((a, b) => a * b)), shape: size });
    if (name.endsWith(".up")) {
      mixed[name] = given.length ? beside(given.map(([a, share]) => ({ data: scaled(a, share), shape: a[name].shape }))) : empty([shape[0], 1]);
    } else if (name.endsWith(".down")) {
      mixed[name] = given.length ? under(given.map(([a]) => a[name])) : empty([1, shape[1]]);
    } else {
      mixed[name] = empty(shape);
      for (const [a, share] of given) scaled(a, share).forEach((value, i) => (mixed[name].data[i] += value));
    }
  }
  return mixed;
}

function under(matrices) {
  const data = new Float32Array(matrices.reduce((all, { data }) => all + data.length, 0));
  let start = 0;
  for (const matrix of matrices) {
    data.set(matrix.data, start);
    start += matrix.data.length;
  }
  return { data, shape: [matrices.reduce((all, { shape }) => all + shape[0], 0), matrices[0].shape[1]] };
}

function beside(matrices) {
  const [rows, columns] = [matrices[0].shape[0], matrices.reduce((all, { shape }) => all + shape[1], 0)];
  const data = new Float32Array(rows * columns);
  let left = 0;
  for (const { data: values, shape } of matrices) {
    for (let row = 0; row < rows; row++) data.set(values.subarray(row * shape[1], (row + 1) * shape[1]), row * columns + left);
    left += shape[1];
  }
  return { data, shape: [rows, columns] };
}

// Style files (safetensors): codes, palettes and the factors of an adapter.

const READ = { F32: (bytes) => new Float32Array(bytes), F16: halves };

export async function readStyle(address) {
  const bytes = await (await fetch(address)).arrayBuffer();
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.slice(8, 8 + length)));
  const tensors = {};
  delete header.__metadata__;
  for (const [name, { dtype, shape, data_offsets: range }] of Object.entries(header)) {
    const [start, end] = range.map((offset) => 8 + length + offset);
    tensors[name] = { data: READ[dtype](bytes.slice(start, end)), shape };
  }
  const { codes, means, covariances, ...factors } = tensors;
  const rows = ({ data, shape: [count, ...rest] }) => {
    const size = rest.reduce((a, b) => a * b);
    return Array.from({ length: count }, (_, k) => Array.from(data.subarray(k * size, (k + 1) * size)));
  };
  const spreads = covariances ? rows(covariances) : [];
  return {
    codes: rows(codes),
    palettes: means ? rows(means).map((mean, k) => ({ mean, covariance: [0, 3, 6].map((i) => spreads[k].slice(i, i + 3)) })) : [],
    adapter: Object.fromEntries(Object.entries(factors).map(([name, factor]) => [name.replace(/^adapter\./, ""), factor])),
  };
}

function halves(bytes) {
  return Float32Array.from(new Uint16Array(bytes), (bits) => {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  });
}

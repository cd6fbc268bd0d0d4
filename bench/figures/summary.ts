export type Summary = { n: number; p50: number; p95: number };

/** Count, median and 95th percentile of the samples, to a tenth. */
export function summarise(samples: number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN) * 10) / 10;
  return { n: sorted.length, p50: at(0.5), p95: at(0.95) };
}

export interface Samples {
  readonly p50: number;
  readonly p95: number;
}

/** The form of every benchmark's result: `ratio` is the peer's median over ours, above 1 when we are faster. */
export interface BenchResult extends Samples {
  readonly name: string;
  readonly unit: string;
  readonly n: number;
  readonly peer?: Samples & { readonly name: string };
  readonly ratio?: number;
  readonly [more: string]: unknown;
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const at = Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1);
  return round(sorted[Math.max(0, at)] ?? Number.NaN);
}

export function samples(values: readonly number[]): Samples {
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95) };
}

export function result(
  name: string,
  unit: string,
  ours: readonly number[],
  peer: { name: string; values: readonly number[] } | null,
  more: Record<string, unknown> = {},
): BenchResult {
  const own = samples(ours);
  const other = peer && peer.values.length > 0 ? { name: peer.name, ...samples(peer.values) } : undefined;
  return {
    name,
    unit,
    n: ours.length,
    ...own,
    ...(other ? { peer: other, ratio: round(other.p50 / own.p50) } : {}),
    ...more,
  };
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Milliseconds that the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

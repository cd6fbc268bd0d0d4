/** Points of a line in a box of 100 by 100, newest at the right end; values that are not known leave a gap. */
export function linesOf(values: readonly (number | null)[], top: number, capacity: number): string[] {
  const lines: string[] = [];
  let current: string[] = [];
  const close = () => {
    const [only] = current;
    if (only !== undefined) lines.push(current.length === 1 ? `${only} ${only}` : current.join(" "));
    current = [];
  };
  for (const [index, value] of values.entries()) {
    if (value === null) {
      close();
      continue;
    }
    const x = 100 - ((values.length - 1 - index) * 100) / (capacity - 1);
    const y = 100 - Math.min(1, value / top) * 100;
    current.push(`${round(x)},${round(y)}`);
  }
  close();
  return lines;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The last two minutes of a figure as a small line; the figure itself stands beside it in words. */
export function Sparkline({
  values,
  top,
  second,
}: {
  values: readonly (number | null)[];
  /** The value at the upper edge. */
  top: number;
  /** A second, quieter line. */
  second?: readonly (number | null)[];
}) {
  const lines = linesOf(values, top, 60);
  return (
    <svg className="sparkline" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      {lines.map((points) => (
        <path key={`area ${points}`} className="sparkline__area" d={areaOf(points)} />
      ))}
      {second &&
        linesOf(second, top, 60).map((points) => (
          <polyline key={`second ${points}`} className="sparkline__second" points={points} />
        ))}
      {lines.map((points) => (
        <polyline key={points} className="sparkline__line" points={points} />
      ))}
    </svg>
  );
}

function areaOf(points: string): string {
  const corners = points.split(" ");
  const first = corners[0]?.split(",")[0] ?? "0";
  const last = corners.at(-1)?.split(",")[0] ?? "0";
  return `M${first},100 L${corners.join(" L")} L${last},100 Z`;
}

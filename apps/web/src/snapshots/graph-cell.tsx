import type { GraphRow } from "./graph.ts";

const step = 12;
const height = 44;
const middle = height / 2;

/** The lines and the dot of one row. The row says in words what the picture shows. */
export function GraphCell({ row, width, kind }: { row: GraphRow; width: number; kind: "named" | "plain" | "now" }) {
  const x = (column: number) => column * step + step / 2;
  const own = x(row.column);
  return (
    <svg
      className={`graph graph--${kind}`}
      width={width * step}
      height={height}
      viewBox={`0 0 ${width * step} ${height}`}
      aria-hidden="true"
    >
      {row.passing.map((column) => (
        <path key={column} d={`M${x(column)} 0V${height}`} />
      ))}
      {row.joining.map((column) => (
        <path
          key={`joins ${column}`}
          d={
            column === row.column
              ? `M${own} 0V${middle}`
              : `M${x(column)} 0C${x(column)} ${middle} ${own} 4 ${own} ${middle}`
          }
        />
      ))}
      {row.goesOn && <path d={`M${own} ${middle}V${height}`} />}
      <circle cx={own} cy={middle} r={kind === "plain" ? 3 : 4} />
    </svg>
  );
}

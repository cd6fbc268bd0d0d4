import type { ReactNode } from "react";

type Lamp = "dark" | "lit" | "bright" | "waiting";

const terminal = <path d="m5 7 5 5-5 5M12.5 18H19" />;
const globe = (
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18" />
  </>
);
const document = (
  <>
    <path d="M14 3H7a1.5 1.5 0 0 0-1.5 1.5v15A1.5 1.5 0 0 0 7 21h10a1.5 1.5 0 0 0 1.5-1.5V7.5z" />
    <path d="M14 3v4.5h4.5M9 12.5h6M9 16.5h6" />
  </>
);
const code = <path d="m8 7-5 5 5 5M16 7l5 5-5 5" />;
const question = (
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M9.3 9.5a2.8 2.8 0 1 1 4.2 2.5c-1 .6-1.5 1.1-1.5 2.2M12 17.2h.01" />
  </>
);
const bars = <path d="M5 20v-6M12 20V5M19 20v-9" />;

/** Niches that are in use, by row and column of the wall. */
const inUse: Record<string, { lamp: Lamp; thing: ReactNode }> = {
  "0 1": { lamp: "bright", thing: terminal },
  "0 3": { lamp: "lit", thing: globe },
  "1 0": { lamp: "lit", thing: document },
  "2 2": { lamp: "lit", thing: code },
  "2 4": { lamp: "waiting", thing: question },
  "3 1": { lamp: "lit", thing: bars },
};

const rows = [0, 1, 2, 3];
const columns = [0, 1, 2, 3, 4];

/** A wall of alcoves: some are lit because somebody works there. */
export function Wall() {
  return (
    <aside className="wall" aria-label="What Alcove is">
      <svg className="wall__niches" viewBox="0 0 596 560" aria-hidden="true">
        {rows.map((row) => (
          <g key={row} transform={`translate(0 ${row * 144})`}>
            {columns.map((column) => {
              const use = inUse[`${row} ${column}`];
              return (
                <g
                  key={column}
                  transform={`translate(${28 + column * 112} 0)`}
                  className={use ? `niche niche--${use.lamp}` : "niche"}
                >
                  <path className="niche__jamb" d="M0 122V50a46 46 0 0 1 92 0V122z" />
                  <path className="niche__back" d="M8 122V50a38 38 0 0 1 76 0V122z" />
                  {use && (
                    <g className="niche__thing" transform="translate(28 64) scale(1.5)">
                      {use.thing}
                    </g>
                  )}
                </g>
              );
            })}
            <path className="ledge" d="M0 122h596v3H0z" />
          </g>
        ))}
      </svg>
      <p className="wall__line">A computer of its own for every person and every agent.</p>
    </aside>
  );
}

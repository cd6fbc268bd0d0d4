export type ArchState = "running" | "waiting" | "failed" | "done" | "idle" | "asleep";

const frame = "M2.75 14.25V7.5a5.25 5.25 0 0 1 10.5 0v6.75z";
const block = "M2 15V7.5a6 6 0 0 1 12 0V15z";

/** The sign of a workspace: its inside says the state, its colour repeats it. A word stands beside it wherever it appears. */
export function Arch({ state, className = "" }: { state: ArchState; className?: string }) {
  return (
    <svg className={`arch arch--${state} ${className}`} viewBox="0 0 16 16" fill="none" aria-hidden="true">
      <g stroke="currentColor" strokeWidth="1.4" strokeLinejoin="round" strokeLinecap="round">
        {inside(state)}
      </g>
    </svg>
  );
}

function inside(state: ArchState) {
  switch (state) {
    case "running":
      return (
        <>
          <path d={frame} />
          <path d="M5 14.25V7.75a3 3 0 0 1 6 0v6.5z" fill="currentColor" stroke="none" />
        </>
      );
    case "waiting":
      return (
        <path
          d={`${block}M8 5.25a1 1 0 0 0-1 1v3a1 1 0 0 0 2 0v-3a1 1 0 0 0-1-1m0 6a1.05 1.05 0 1 0 0 2.1 1.05 1.05 0 0 0 0-2.1`}
          fill="currentColor"
          fillRule="evenodd"
          stroke="none"
        />
      );
    case "failed":
      return (
        <path
          d={`${block}M5.9 6.4 7.25 8 5.9 9.6l1 .9L8 9.1l1.1 1.4 1-.9L8.75 8l1.35-1.6-1-.9L8 6.9 6.9 5.5z`}
          fill="currentColor"
          fillRule="evenodd"
          stroke="none"
        />
      );
    case "done":
      return (
        <>
          <path d={frame} />
          <path d="m5.5 9 1.9 1.9 3.3-3.9" />
        </>
      );
    case "idle":
      return (
        <>
          <path d={frame} />
          <circle cx="8" cy="8.25" r="1.9" fill="currentColor" stroke="none" />
        </>
      );
    case "asleep":
      return <path d={frame} strokeDasharray="2.2 2" strokeLinecap="butt" />;
  }
}

/** The product's own sign. */
export function Brand() {
  return (
    <svg className="brand" viewBox="0 0 20 20" aria-hidden="true">
      <path
        d="M2.5 18V9a7.5 7.5 0 0 1 15 0v9z"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinejoin="round"
      />
      <path d="M6 18V9.25a4 4 0 0 1 8 0V18z" fill="var(--accent)" />
    </svg>
  );
}

import { useEffect, useState, type ReactNode } from "react";

/** True once something has been awaited for 300 ms; before that a skeleton would only flicker. */
export function usePatience(waiting: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(waiting), waiting ? 300 : 0);
    return () => clearTimeout(timer);
  }, [waiting]);
  return waiting && late;
}

/** Rows with the size of what comes. */
export function SkeletonRows({ rows = 3, bare = false }: { rows?: number; bare?: boolean }) {
  const late = usePatience(true);
  if (!late) return null;
  return (
    <div className={bare ? "" : "group"} role="status" aria-busy="true">
      <span className="sr">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        <div className="run" key={row}>
          <i className="skeleton skeleton--dot" />
          <i className="skeleton" style={{ width: `${62 - (row % 3) * 14}%` }} />
        </div>
      ))}
    </div>
  );
}

/** One sentence on what appears here and when, and at most one button. */
export function Empty({
  title,
  children,
  action,
  mark,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  mark?: ReactNode;
}) {
  return (
    <div className="nothing">
      {mark}
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

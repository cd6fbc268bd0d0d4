/** A circle: a person. */
export function Face({ name }: { name: string }) {
  const letters = name
    .split(/\s+/)
    .map((word) => word.charAt(0))
    .join("")
    .slice(0, 2)
    .toUpperCase();
  return (
    <span className="face" aria-hidden="true">
      {letters}
    </span>
  );
}

/** A square: an agent. */
export function Bot({ monogram, large = false }: { monogram: string; large?: boolean }) {
  return (
    <span className={large ? "bot bot--l" : "bot"} aria-hidden="true">
      {monogram}
    </span>
  );
}

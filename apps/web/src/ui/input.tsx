import type { ComponentProps, ReactNode } from "react";

export function Input({ className = "", ...rest }: ComponentProps<"input">) {
  return <input className={`input ${className}`} {...rest} />;
}

/** A label above its field, and a sentence below when there is something to know. */
export function Field({
  label,
  id,
  note,
  children,
}: {
  label: string;
  id: string;
  note?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {note && <p className="quiet">{note}</p>}
    </div>
  );
}

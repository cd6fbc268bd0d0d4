import { useEffect, useId, useRef, useState, type ComponentProps } from "react";
import { Input } from "../ui/input.tsx";
import { nameProblem, nameRule } from "./workspace-name.ts";

/** The field of a workspace's name: says the rule, at once when it is broken, and what the server has against the name. */
export function NameField({
  name,
  onChange,
  note = "",
  refusal,
  ...rest
}: {
  name: string;
  onChange: (name: string) => void;
  /** A sentence before the rule. */
  note?: string;
  /** Why the server did not take what stands there now. */
  refusal: string | null;
} & Pick<ComponentProps<"input">, "required" | "autoFocus" | "placeholder">) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [typing, setTyping] = useState(false);
  const problem = nameProblem(name);
  // A hyphen at the end is mostly one on the way to the next letter.
  const shown = typing ? nameProblem(name.replace(/-$/, "")) : problem;
  useEffect(() => input.current?.setCustomValidity(problem ?? ""), [problem]);
  useEffect(() => {
    if (refusal !== null) input.current?.focus();
  }, [refusal]);
  return (
    <div className="field">
      <label htmlFor={id}>Name</label>
      <Input
        {...rest}
        id={id}
        ref={input}
        value={name}
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
        aria-invalid={(shown ?? refusal) !== null}
        aria-describedby={`${id}-problem ${id}-note`}
        onChange={(event) => {
          setTyping(true);
          onChange(event.target.value.toLowerCase().replace(/\s+/g, "-"));
        }}
        onBlur={() => setTyping(false)}
        onInvalid={(event) => {
          if (problem === null) return;
          // Said below the field instead of in a bubble of the browser's.
          event.preventDefault();
          event.currentTarget.focus();
          setTyping(false);
        }}
      />
      <p className="is-failed" id={`${id}-problem`} role="alert" hidden={(shown ?? refusal) === null}>
        {shown ?? refusal}
      </p>
      <p className="quiet" id={`${id}-note`}>
        {note} {nameRule}.
      </p>
    </div>
  );
}

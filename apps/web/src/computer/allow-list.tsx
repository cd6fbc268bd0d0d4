import { X } from "lucide-react";
import { useId, useState, type SubmitEvent } from "react";
import { Button, IconButton } from "../ui/button.tsx";
import { Input } from "../ui/input.tsx";
import { hostSets, hostsEntry } from "./hosts.ts";

/** The names that a workspace may reach. Taking one away can be undone; adding needs no button for each. */
export function AllowList({
  allowed,
  onAllow,
  onTakeOff,
  busy,
}: {
  allowed: string[];
  onAllow: (hosts: string[]) => void;
  onTakeOff: (host: string) => void;
  busy: boolean;
}) {
  const id = useId();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const add = (typed: string) => {
    const entry = hostsEntry(typed, allowed);
    setProblem(entry.type === "problem" ? entry.problem : null);
    if (entry.type === "problem" || entry.hosts.length === 0) return;
    setText("");
    onAllow(entry.hosts);
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    add(text);
  };
  const sets = hostSets.filter(({ hosts }) => hosts.some((host) => !allowed.includes(host)));
  return (
    <section className="section" aria-labelledby={`${id}-title`}>
      <div className="section__head">
        <h2 id={`${id}-title`}>Allowed</h2>
        <span className="count">{allowed.length}</span>
      </div>
      <div className="group">
        <form className="key-form" onSubmit={submit}>
          <div className="grow grid gap-1">
            <Input
              id={`${id}-host`}
              aria-label="Name to allow"
              placeholder="example.com or *.example.com"
              value={text}
              spellCheck={false}
              autoCapitalize="none"
              aria-invalid={problem !== null}
              aria-describedby={`${id}-problem`}
              onChange={(event) => {
                setText(event.target.value);
                setProblem(null);
              }}
            />
            <p className="is-failed" id={`${id}-problem`} role="alert" hidden={problem === null}>
              {problem}
            </p>
          </div>
          <Button type="submit" size="sm" aria-busy={busy}>
            Allow
          </Button>
        </form>
        {allowed.length > 0 && (
          <ul className="hosts">
            {allowed.map((host) => (
              <li key={host}>
                <code className="cut">{host}</code>
                <IconButton label={`Take ${host} off the list`} onClick={() => onTakeOff(host)}>
                  <X className="icon icon--s" />
                </IconButton>
              </li>
            ))}
          </ul>
        )}
        {sets.length > 0 && (
          <div className="sets">
            <span className="quiet">Often needed</span>
            {sets.map(({ label, hosts }) => (
              <Button
                key={label}
                size="sm"
                variant="ghost"
                title={hosts.join(", ")}
                onClick={() => add(hosts.filter((host) => !allowed.includes(host)).join(" "))}
              >
                {label}
              </Button>
            ))}
          </div>
        )}
      </div>
    </section>
  );
}

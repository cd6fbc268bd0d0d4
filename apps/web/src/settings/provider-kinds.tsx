import type { ProviderKind } from "@alcove/contract/api/agent";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { Button } from "../ui/button.tsx";
import { ProviderForm } from "./provider-form.tsx";

export interface KindInfo {
  kind: ProviderKind;
  title: string;
  note: string;
  keyHint: string;
}

export const kinds: KindInfo[] = [
  {
    kind: "anthropic",
    title: "Anthropic",
    note: "Claude models; used by Claude Code and opencode",
    keyHint: "sk-ant-…",
  },
  { kind: "openai", title: "OpenAI", note: "GPT models; used by Codex and opencode", keyHint: "sk-…" },
  {
    kind: "compatible",
    title: "OpenAI-compatible",
    note: "Any server with a Chat Completions address",
    keyHint: "Key, or any text when it needs none",
  },
];

/** The name that people know a provider by. */
export function providerTitle(provider: { name: string; kind: ProviderKind }): string {
  const kind = kinds.find((other) => other.kind === provider.kind);
  return kind && provider.name === kind.kind ? kind.title : provider.name;
}

/** A well-known provider that is not connected yet. */
export function NewProviderRow({ kind }: { kind: KindInfo }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="setting">
      <span className="tile">
        <KeyRound className="icon" />
      </span>
      <div className="setting__text">
        <b className="strong">{kind.title}</b>
        <span className="quiet">{kind.note}</span>
      </div>
      <span className="setting__fact" />
      <span className="state quiet">Not connected</span>
      <Button size="sm" aria-expanded={open} onClick={() => setOpen(!open)}>
        Connect
      </Button>
      {open && (
        <div className="setting__more">
          <ProviderForm kind={kind.kind} taken={[]} onDone={() => setOpen(false)} />
        </div>
      )}
    </div>
  );
}

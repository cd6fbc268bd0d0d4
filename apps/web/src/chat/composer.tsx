import type { Session } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowUp, Square } from "lucide-react";
import { useCallback, useId, useRef, useState, type KeyboardEvent, type SubmitEvent } from "react";
import { queries } from "../live/queries.ts";
import { useStartRun } from "../shell/context.tsx";
import { useStored } from "../shell/stored.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Arch } from "../ui/arch.tsx";
import { Bot } from "../ui/avatar.tsx";
import { Button } from "../ui/button.tsx";
import { Pick } from "../ui/pick.tsx";
import { Tooltip } from "../ui/tooltip.tsx";
import { modes, useChoices, type Choices } from "./choices.ts";
import { workspaceFor, type Where } from "./where.ts";

type Place = "home" | { workspace: string; session: Session | null };

interface ComposerProps {
  place: Place;
  /** Where a new conversation works. */
  where?: Where;
  /** The run that works now; the button stops it while nothing is written. */
  working?: { stop: () => void; agent: string } | null;
  onSent?: () => void;
  /** Opens a new conversation with another agent. */
  onOtherAgent?: (agent: string) => void;
}

/** What should be done, by whom, where. Never disabled: what cannot be sent is kept as a draft. */
export function Composer({ place, where = "here", working = null, onSent, onOtherAgent }: ComposerProps) {
  const session = place === "home" ? null : place.session;
  const draftKey = `draft.${place === "home" ? "home" : (session?.id ?? place.workspace)}`;
  const [draft, setDraft] = useStored(draftKey);
  const [target, setTarget] = useStored("target");
  const choices = useChoices(session?.agent ?? null);
  const workspaces = useQuery(queries.workspaces());
  const start = useStartRun();
  const [problem, setProblem] = useState<unknown>(null);
  const [sending, setSending] = useState(false);
  const attempt = useRef<{ text: string; where: Where; key: string; workspace?: string | null } | null>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const noteId = useId();
  const text = draft ?? "";
  const chosen =
    place === "home"
      ? (workspaces.data?.items.find((workspace) => workspace.name === target)?.name ?? null)
      : place.workspace;

  const send = useCallback(async () => {
    if (text.trim() === "" || sending || choices.obstacle !== null || !choices.agent) return;
    // The same text sent again after a lost answer is the same run, in the same fork.
    if (attempt.current?.text !== text || attempt.current.where !== where)
      attempt.current = { text, where, key: crypto.randomUUID() };
    const sent = attempt.current;
    setSending(true);
    setProblem(null);
    try {
      if (sent.workspace === undefined) sent.workspace = await workspaceFor(where, chosen);
      await start(
        {
          prompt: text,
          agent: choices.agent.name,
          mode: choices.mode,
          ...(choices.model ? { model: choices.model } : {}),
          ...(sent.workspace ? { workspace: sent.workspace } : {}),
          ...(session ? { session: session.id } : {}),
        },
        sent.key,
      );
      attempt.current = null;
      setDraft(null);
      onSent?.();
    } catch (error) {
      setProblem(error);
    } finally {
      setSending(false);
      area.current?.focus();
    }
  }, [text, where, sending, choices, start, chosen, session, setDraft, onSent]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.nativeEvent.isComposing || event.shiftKey) return;
    event.preventDefault();
    void send();
  };

  const empty = text.trim() === "";
  return (
    <form
      aria-label={place === "home" ? "Start something" : "Message"}
      className="grid gap-2"
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault();
        void send();
      }}
    >
      {problem !== null && (
        <FailureAlert failure={failureOf(problem)} title="This was not sent" fresh>
          <Button size="sm" onClick={() => void send()}>
            Send again
          </Button>
        </FailureAlert>
      )}
      <div className="composer">
        <textarea
          ref={area}
          id="message"
          rows={1}
          value={text}
          aria-label={place === "home" ? "What should be done?" : "Message"}
          aria-describedby={noteId}
          placeholder={
            session === null
              ? "What should be done?"
              : working
                ? "Reply, or queue the next step"
                : "What should be done next?"
          }
          onChange={(event) => setDraft(event.target.value === "" ? null : event.target.value)}
          onKeyDown={onKeyDown}
        />
        <div className="composer__bar">
          {place === "home" && <TargetPick target={chosen} onChange={setTarget} />}
          {choices.obstacle !== "no_model" && (
            <>
              <AgentPick choices={choices} session={session} onOtherAgent={onOtherAgent} />
              <ModelPick choices={choices} />
              <ModePick choices={choices} />
            </>
          )}
          <span className="grow" />
          <span className="quiet composer__note" id={noteId}>
            <Note choices={choices} />
          </span>
          {working && empty ? (
            <Tooltip label={`Stop ${working.agent}`} shortcut="escape">
              <Button size="icon" round className="send" aria-label={`Stop ${working.agent}`} onClick={working.stop}>
                <Square className="icon icon--full" />
              </Button>
            </Tooltip>
          ) : (
            <Tooltip label={working ? "Queue" : "Send"} shortcut="enter">
              <Button
                type="submit"
                size="icon"
                round
                variant={empty ? "outline" : "default"}
                className="send"
                aria-busy={sending}
                aria-label={choices.obstacle === null ? (working ? "Queue the message" : "Send") : "Keep as a draft"}
              >
                <ArrowUp className="icon" />
              </Button>
            </Tooltip>
          )}
        </div>
      </div>
    </form>
  );
}

function Note({ choices }: { choices: Choices }) {
  switch (choices.obstacle) {
    case null:
    case "loading":
      return null;
    case "no_model":
      return (
        <>
          Kept as a draft until a{" "}
          <Link className="link" to="/settings/agents">
            model is connected
          </Link>
        </>
      );
    case "agent_without_model":
      return (
        <>
          {choices.agent?.title} needs a{" "}
          <Link className="link" to="/settings/agents">
            model key
          </Link>
        </>
      );
  }
}

function TargetPick({ target, onChange }: { target: string | null; onChange: (name: string | null) => void }) {
  const workspaces = useQuery(queries.workspaces());
  const options = (workspaces.data?.items ?? []).map((workspace) => ({
    value: workspace.name,
    label: workspace.name,
    note: workspace.why,
    mark: <Arch state={workspace.box === "running" ? "idle" : "asleep"} />,
  }));
  return (
    <Pick
      label="Workspace"
      value={target ?? "new workspace"}
      options={[
        { value: "new workspace", label: "New workspace", note: "Made when you send", mark: <Arch state="idle" /> },
        ...options,
      ]}
      onChange={(value) => onChange(value === "new workspace" ? null : value)}
    >
      <Arch state="idle" /> <span className="cut max-w-40">{target ?? "New workspace"}</span>
    </Pick>
  );
}

function AgentPick({
  choices,
  session,
  onOtherAgent,
}: {
  choices: Choices;
  session: Session | null;
  onOtherAgent: ((agent: string) => void) | undefined;
}) {
  const { agent, agents } = choices;
  if (!agent) return null;
  const note = (other: (typeof agents)[number]) => {
    if (other.provider === null) return "Needs a model key";
    if (session && other.name !== session.agent) return "Begins a new conversation";
    return other.state === "ready" ? undefined : "Installed on first use";
  };
  return (
    <Pick
      label="Agent"
      value={agent.name}
      options={agents.map((other) => ({
        value: other.name,
        label: other.title,
        note: note(other),
        mark: <Bot monogram={other.monogram} />,
      }))}
      onChange={(name) => {
        choices.setAgent(name);
        if (session && name !== session.agent) onOtherAgent?.(name);
      }}
    >
      <Bot monogram={agent.monogram} /> <span className="pick__long">{agent.title}</span>
    </Pick>
  );
}

function ModelPick({ choices }: { choices: Choices }) {
  const models = choices.agent?.models ?? [];
  const current = models.find((model) => model.id === choices.model);
  if (models.length < 2 || !current) return null;
  return (
    <Pick
      label="Model"
      value={current.id}
      options={models.map((model) => ({ value: model.id, label: model.title }))}
      onChange={choices.setModel}
      className="pick--spare"
    >
      <span className="cut max-w-36">{current.title}</span>
    </Pick>
  );
}

function ModePick({ choices }: { choices: Choices }) {
  const current = modes.find((mode) => mode.value === choices.mode);
  if (!current) return null;
  return (
    <Pick label="Mode" value={current.value} options={modes} onChange={choices.setMode}>
      <span className="pick__long">{current.label}</span>
      <span className="pick__short">{current.short}</span>
    </Pick>
  );
}

import type { Approval, Run } from "@alcove/contract/api/run";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAnswer } from "../chat/answer.ts";
import { optionLabel, questionOf } from "../chat/approval-words.ts";
import { remedyOf, useRemedy } from "../chat/remedy.ts";
import { formatAgo } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { useNow } from "../shell/clock.ts";
import { useShortcut } from "../shell/shortcuts.ts";
import { Arch } from "../ui/arch.tsx";
import { Button, buttonClass } from "../ui/button.tsx";
import { Kbd } from "../ui/kbd.tsx";
import type { Need } from "./overview.ts";

/** What waits for somebody; answerable right here, by mouse or by letter. */
export function Needs({ needs, putAside }: { needs: Need[]; putAside: (run: string) => void }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const navigate = useNavigate();
  const answer = useAnswer();
  const at = Math.max(
    0,
    needs.findIndex((need) => need.id === chosen),
  );
  const need = needs[at];

  const move = (step: number) => setChosen(needs[Math.min(needs.length - 1, Math.max(0, at + step))]?.id ?? null);
  const reply = (kind: "allow_once" | "reject_once") => {
    if (need?.type !== "approval") return false;
    const option = need.approval.options.find((other) => other.kind === kind);
    if (!option) return false;
    answer.mutate({ approval: need.approval, option: option.id });
    return true;
  };
  const on = needs.length > 0;
  useShortcut("j", () => move(1), on);
  useShortcut("k", () => move(-1), on);
  useShortcut("a", () => reply("allow_once"), on);
  useShortcut("d", () => reply("reject_once"), on);
  useShortcut(
    "enter",
    (event) => {
      if (!need || event.target !== document.body) return false;
      void navigate({
        to: "/workspaces/$name",
        params: { name: need.type === "run" ? need.run.workspaceName : need.approval.workspaceName },
        search: { session: need.type === "run" ? need.run.session : undefined },
      });
      return true;
    },
    on,
  );

  if (!need) return null;
  return (
    <section className="section" aria-labelledby="needs">
      <div className="section__head">
        <h2 id="needs">Needs you</h2> <span className="count count--waiting">{needs.length}</span>
        <span className="grow" />
        {needs.length > 1 && (
          <span className="hint">
            <Kbd keys="j" /> <Kbd keys="k" /> move
          </span>
        )}
      </div>
      <div className="group group--waiting">
        {needs.map((other) =>
          other.type === "approval" ? (
            <ApprovalNeed key={other.id} approval={other.approval} at={other === need} />
          ) : (
            <RunNeed key={other.id} run={other.run} at={other === need} putAside={() => putAside(other.id)} />
          ),
        )}
      </div>
    </section>
  );
}

function useAgentTitle(name: string): string {
  const agents = useQuery(queries.agents());
  return agents.data?.items.find((agent) => agent.name === name)?.title ?? name;
}

function ApprovalNeed({ approval, at }: { approval: Approval; at: boolean }) {
  const now = useNow(30_000);
  const agent = useAgentTitle(approval.agent);
  const answer = useAnswer();
  const firsts = new Map(approval.options.map((option) => [option.kind, option.id] as const).toReversed());
  return (
    <article className={at ? "need need--at" : "need"}>
      <Arch state="waiting" />
      <div className="need__body">
        <h3>
          {agent} asks: {questionOf(approval)}
        </h3>
        <p className="need__where">
          <Link to="/workspaces/$name" params={{ name: approval.workspaceName }}>
            {approval.workspaceName}
          </Link>{" "}
          · <time dateTime={approval.createdAt}>{formatAgo(approval.createdAt, now)}</time>
        </p>
        {approval.subject && (
          <code className="command" tabIndex={0}>
            {approval.subject}
          </code>
        )}
        <div className="btns">
          {approval.options.map((option) => (
            <Button
              key={option.id}
              variant={
                option.kind === "allow_once" && at ? "default" : option.kind.endsWith("always") ? "ghost" : "outline"
              }
              size={at ? "default" : "sm"}
              onClick={() => answer.mutate({ approval, option: option.id })}
            >
              {optionLabel(option)}
              {at && firsts.get(option.kind) === option.id && option.kind === "allow_once" && <Kbd keys="a" />}
              {at && firsts.get(option.kind) === option.id && option.kind === "reject_once" && <Kbd keys="d" />}
            </Button>
          ))}
          <Link
            className={buttonClass({ variant: "ghost", size: at ? "default" : "sm" })}
            to="/workspaces/$name"
            params={{ name: approval.workspaceName }}
          >
            Open {at && <Kbd keys="enter" />}
          </Link>
        </div>
        {answer.error && (
          <p className="is-failed mt-2" role="alert">
            {answer.error.message}
          </p>
        )}
      </div>
    </article>
  );
}

function RunNeed({ run, at, putAside }: { run: Run; at: boolean; putAside: () => void }) {
  const now = useNow(30_000);
  const agent = useAgentTitle(run.agent);
  const remedy = remedyOf(run);
  const act = useRemedy(run);
  return (
    <article className={at ? "need need--at" : "need"}>
      <Arch state="failed" />
      <div className="need__body">
        <h3>
          {run.state === "interrupted" ? `${agent} was interrupted` : `${agent} stopped`}: {run.title}
        </h3>
        <p className="need__where">
          <Link to="/workspaces/$name" params={{ name: run.workspaceName }} search={{ session: run.session }}>
            {run.workspaceName}
          </Link>{" "}
          · <time dateTime={run.endedAt ?? run.createdAt}>{formatAgo(run.endedAt ?? run.createdAt, now)}</time>
        </p>
        {run.error && <p className="soft">{`${run.error.detail.replace(/[.]?$/, ".")} ${run.error.hint}`}</p>}
        <div className="btns">
          {remedy.act === "settings" ? (
            <Link className={buttonClass({ size: "sm" })} to="/settings/agents">
              {remedy.label}
            </Link>
          ) : (
            <Button size="sm" aria-busy={act.isPending} onClick={() => act.mutate()}>
              {remedy.label}
            </Button>
          )}
          <Link
            className={buttonClass({ size: "sm", variant: "ghost" })}
            to="/workspaces/$name"
            params={{ name: run.workspaceName }}
            search={{ session: run.session }}
          >
            Read it
          </Link>
          <Button size="sm" variant="ghost" onClick={putAside}>
            Put aside
          </Button>
        </div>
        {act.error && (
          <p className="is-failed mt-2" role="alert">
            {act.error.message}
          </p>
        )}
      </div>
    </article>
  );
}

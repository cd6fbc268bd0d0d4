import { useQuery } from "@tanstack/react-query";
import { queries } from "../live/queries.ts";
import { useShortcut } from "../shell/shortcuts.ts";
import { Arch } from "../ui/arch.tsx";
import { Button } from "../ui/button.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { useAnswer } from "./answer.ts";
import { optionLabel, questionOf } from "./approval-words.ts";
import type { Item } from "./transcript.ts";

/** A question of the agent, answerable where it stands; an answered one is a line of the conversation. */
export function ApprovalCard({ item }: { item: Extract<Item, { type: "approval" }> }) {
  const approvals = useQuery(queries.approvals());
  const answer = useAnswer();
  const approval = approvals.data?.items.find((other) => `approval:${other.id}` === item.id);
  const open = item.answer === "open" && approval?.state === "open";
  const reply = (kind: "allow_once" | "reject_once") => {
    const option = approval?.options.find((other) => other.kind === kind);
    if (!approval || !option) return false;
    answer.mutate({ approval, option: option.id });
    return true;
  };
  useShortcut("mod+enter", () => reply("allow_once"), open);
  useShortcut("mod+backspace", () => reply("reject_once"), open);

  if (!open || !approval) {
    const chosen = approval?.options.find((option) => option.id === approval.answer);
    const word =
      item.answer === "expired" || approval?.state === "expired"
        ? "Not answered"
        : chosen
          ? wordOf(chosen.kind)
          : item.answer === "open"
            ? "Asked"
            : item.answer.label;
    return (
      <p className="quiet aside-line">
        <span>{word}:</span>
        {item.subject ? <code className="cut">{item.subject}</code> : <span className="cut">{item.title}</span>}
      </p>
    );
  }
  const first = (kind: string) => approval.options.find((option) => option.kind === kind)?.id;
  return (
    <section className="approval" aria-label={questionOf(item)}>
      <h3 className="approval__title">
        <Arch state="waiting" />
        {questionOf(item)}
      </h3>
      {item.subject && (
        <code className="command" tabIndex={0}>
          {item.subject}
        </code>
      )}
      <div className="btns">
        {approval.options.map((option) => (
          <Button
            key={option.id}
            variant={
              option.id === first("allow_once") ? "default" : option.kind.endsWith("always") ? "ghost" : "outline"
            }
            onClick={() => answer.mutate({ approval, option: option.id })}
          >
            {optionLabel(option)}
            {option.id === first("allow_once") && <Kbd keys="mod+enter" />}
            {option.id === first("reject_once") && <Kbd keys="mod+backspace" />}
          </Button>
        ))}
      </div>
      {answer.error && (
        <p className="is-failed" role="alert">
          {answer.error.message}
        </p>
      )}
    </section>
  );
}

function wordOf(kind: "allow_once" | "allow_always" | "reject_once" | "reject_always"): string {
  switch (kind) {
    case "allow_once":
      return "Allowed once";
    case "allow_always":
      return "Always allowed";
    case "reject_once":
      return "Denied";
    case "reject_always":
      return "Always denied";
  }
}

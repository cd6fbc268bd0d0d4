import { useQuery } from "@tanstack/react-query";
import { queries } from "../live/queries.ts";
import { useShortcut } from "../shell/shortcuts.ts";
import { Arch } from "../ui/arch.tsx";
import { Button } from "../ui/button.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { useAnswer } from "./answer.ts";
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

  if (item.answer === "expired" || approval?.state === "expired") {
    return (
      <p className="quiet aside-line">
        Not answered: {item.title} {item.subject && <code>{item.subject}</code>}
      </p>
    );
  }
  if (!open || !approval) {
    const chosen = approval?.options.find((option) => option.id === approval.answer)?.label;
    const label =
      item.answer === "open" ? (chosen ?? "Asked") : typeof item.answer === "string" ? "Asked" : item.answer.label;
    return (
      <p className="quiet aside-line">
        {label}: {item.title} {item.subject && <code>{item.subject}</code>}
      </p>
    );
  }
  const first = (kind: string) => approval.options.find((option) => option.kind === kind)?.id;
  return (
    <section className="approval" aria-label={item.title}>
      <h3 className="approval__title">
        <Arch state="waiting" />
        {item.title}
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
            {option.label}
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

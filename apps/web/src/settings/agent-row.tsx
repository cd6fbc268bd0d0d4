import type { Agent, Provider } from "@alcove/contract/api/agent";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, TriangleAlert } from "lucide-react";
import { client } from "../live/client.ts";
import { FailureAlert } from "../ui/alert.tsx";
import { Bot } from "../ui/avatar.tsx";
import { Button } from "../ui/button.tsx";
import { kinds, providerTitle } from "./provider-kinds.tsx";

/** One agent: whether it is installed, and which key it would use. */
export function AgentRow({ agent, providers }: { agent: Agent; providers: Provider[] }) {
  const queryClient = useQueryClient();
  const install = useMutation({
    mutationFn: () => client.agents.install(agent.name),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["agents"] }),
  });
  const provider = providers.find((other) => other.name === agent.provider);
  const accepted = agent.providers.map((kind) => kinds.find((other) => other.kind === kind)?.title ?? kind);
  const failure = agent.state === "failed" ? agent.error : null;
  return (
    <div className="setting">
      <Bot monogram={agent.monogram} large />
      <div className="setting__text">
        <b className="strong">{agent.title}</b>
        <span className="quiet">
          {agent.state === "installing" && agent.progress
            ? agent.progress.text
            : provider
              ? `Uses the ${providerTitle(provider)} key`
              : `Needs a key of ${accepted.join(" or ")}`}
        </span>
      </div>
      <span className="setting__fact num">
        {agent.state === "installing" && agent.progress ? (
          <span
            className="meter"
            role="progressbar"
            aria-label={`Installing ${agent.title}`}
            aria-valuenow={agent.progress.percent}
            aria-valuemin={0}
            aria-valuemax={100}
            style={{ "--at": agent.progress.percent }}
          >
            <i />
          </span>
        ) : (
          agent.version
        )}
      </span>
      <State agent={agent} provider={provider} />
      {agent.state === "available" ? (
        <Button size="sm" aria-busy={install.isPending} onClick={() => install.mutate()}>
          Install
        </Button>
      ) : (
        <span />
      )}
      {failure && (
        <div className="setting__more">
          <FailureAlert failure={failure}>
            <Button size="sm" aria-busy={install.isPending} onClick={() => install.mutate()}>
              Install again
            </Button>
          </FailureAlert>
        </div>
      )}
      {install.error && (
        <p className="setting__more is-failed" role="alert">
          {install.error.message}
        </p>
      )}
    </div>
  );
}

/** An installed agent is only as ready as the key that it would use. */
function State({ agent, provider }: { agent: Agent; provider: Provider | undefined }) {
  switch (agent.state) {
    case "installing":
      return <span className="state is-running">Installing</span>;
    case "failed":
      return (
        <span className="state is-failed">
          <TriangleAlert className="icon icon--s" /> Not installed
        </span>
      );
    case "available":
      return <span className="state quiet">On first use</span>;
    case "ready":
      if (agent.provider === null) return <span className="state">Needs a key</span>;
      if (provider?.state === "refused" || provider?.state === "unreachable")
        return (
          <span className="state is-failed">
            <TriangleAlert className="icon icon--s" /> {provider.state === "refused" ? "Key refused" : "No answer"}
          </span>
        );
      return (
        <span className="state">
          <Check className="icon icon--s" /> Ready
        </span>
      );
  }
}

import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { queries } from "../live/queries.ts";
import { usePageTitle } from "../shell/page-title.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { AgentRow } from "./agent-row.tsx";
import { ProviderForm } from "./provider-form.tsx";
import { ProviderRow } from "./provider-row.tsx";
import { kinds, NewProviderRow } from "./provider-kinds.tsx";

/** Keys of model providers, and the agents that use them. */
export function AgentsPage() {
  usePageTitle("Agents and models");
  const providers = useQuery(queries.providers());
  const agents = useQuery(queries.agents());
  const [adding, setAdding] = useState(false);
  const items = providers.data?.items ?? [];
  const missing = kinds.filter(
    (kind) => kind.kind !== "compatible" && !items.some((provider) => provider.kind === kind.kind),
  );

  return (
    <>
      <header className="settings__head">
        <h1>Agents and models</h1>
        <p className="soft">Keys stay on this server. A workspace only gets a token that ends with the run.</p>
      </header>

      <section className="section" aria-labelledby="models">
        <div className="section__head">
          <h2 id="models">Models</h2>
          <span className="grow" />
          <Button size="sm" aria-expanded={adding} onClick={() => setAdding(!adding)}>
            <Plus className="icon icon--s" /> Add a key
          </Button>
        </div>
        {adding && (
          <div className="group p-4">
            <ProviderForm taken={items.map((provider) => provider.name)} onDone={() => setAdding(false)} />
          </div>
        )}
        {providers.isPending && <SkeletonRows rows={2} />}
        {providers.isError && !providers.data && <FailureAlert failure={failureOf(providers.error)} />}
        {providers.data && (
          <div className="group">
            {items.map((provider) => (
              <ProviderRow key={provider.name} provider={provider} />
            ))}
            {missing.map((kind) => (
              <NewProviderRow key={kind.kind} kind={kind} />
            ))}
          </div>
        )}
      </section>

      <section className="section" aria-labelledby="agents">
        <div className="section__head">
          <h2 id="agents">Agents</h2>
        </div>
        {agents.isPending && <SkeletonRows rows={3} />}
        {agents.isError && !agents.data && <FailureAlert failure={failureOf(agents.error)} />}
        {agents.data && (
          <div className="group">
            {agents.data.items.map((agent) => (
              <AgentRow key={agent.name} agent={agent} providers={items} />
            ))}
          </div>
        )}
      </section>
    </>
  );
}

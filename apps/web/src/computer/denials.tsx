import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check } from "lucide-react";
import { formatAgo, plural } from "../format/format.ts";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { useNow } from "../shell/clock.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { changesOf, withFigures } from "./change.ts";
import { type Denial, denialsOf } from "./denied-hosts.ts";

/** Puts a host on the list with one click. */
export function useAllowHost(workspace: Workspace) {
  const queryClient = useQueryClient();
  return useMutation({
    scope: changesOf(workspace),
    mutationFn: (host: string) => client.workspaces.allowHost(workspace.id, host),
    onSuccess: (changed) =>
      queryClient.setQueryData(queries.workspace(workspace.name).queryKey, (old) => withFigures(changed, old)),
  });
}

/** What the workspace asked for and was refused. */
export function Denials({ workspace }: { workspace: Workspace }) {
  const events = useQuery(queries.workspaceEvents(workspace.id));
  const allow = useAllowHost(workspace);
  const now = useNow(30_000);
  const denials = denialsOf(events.data?.items ?? [], workspace.network);
  const shown = denials.slice(0, 50);
  return (
    <section className="section" aria-labelledby="denials">
      <div className="section__head">
        <h2 id="denials">Refused lately</h2>
        {denials.length > 0 && <span className="count">{denials.length}</span>}
      </div>
      {events.isPending && <SkeletonRows rows={2} />}
      {events.isError && !events.data && <FailureAlert failure={failureOf(events.error)} />}
      {allow.error && <FailureAlert failure={failureOf(allow.error)} title="The name was not allowed" fresh />}
      {events.data && denials.length === 0 && (
        <p className="quiet">When something in the workspace is kept from an address, it is named here.</p>
      )}
      {denials.length > 0 && (
        <ul className="group">
          {shown.map((denial) => (
            <li className="denial" key={denial.host}>
              <code className="cut grow">{denial.host}</code>
              <span className="quiet num denial__facts">
                {[
                  portWords(denial),
                  denial.times > 1 ? plural(denial.times, "time") : null,
                  formatAgo(denial.last, now),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </span>
              <Verdict
                denial={denial}
                busy={allow.isPending && allow.variables === denial.host}
                onAllow={() => allow.mutate(denial.host)}
              />
            </li>
          ))}
        </ul>
      )}
      {shown.some(({ state }) => state === "address") && (
        <p className="quiet">
          An address cannot be on the list, which holds names. A program reaches it by a name that is on the list, or
          when the network is open.
        </p>
      )}
      {shown.some(({ state }) => state === "closed") && (
        <p className="quiet">
          Closed to every workspace: private, link-local and metadata addresses, this server and other workspaces.
        </p>
      )}
    </section>
  );
}

function portWords({ ports }: Denial): string | null {
  if (ports.length === 0) return null;
  return `port ${ports.slice(0, 3).join(", ")}${ports.length > 3 ? " …" : ""}`;
}

function Verdict({ denial, busy, onAllow }: { denial: Denial; busy: boolean; onAllow: () => void }) {
  switch (denial.state) {
    case "can_allow":
      return (
        <Button size="sm" aria-busy={busy} onClick={onAllow} aria-label={`Allow ${denial.host}`}>
          Allow
        </Button>
      );
    case "allowed":
      return (
        <span className="state">
          <Check className="icon icon--s" /> Allowed
        </span>
      );
    case "address":
      return <span className="state">An address, not a name</span>;
    case "closed":
      return <span className="state">Leads to a closed address</span>;
  }
}

import type { Network } from "@alcove/contract/api/network";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useState } from "react";
import { formatBytes } from "../format/format.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { tellWithUndo } from "../ui/undo-toast.tsx";
import { AllowList } from "./allow-list.tsx";
import { useChange } from "./change.ts";
import { Denials } from "./denials.tsx";
import { networkModes } from "./network-modes.ts";

/** What the workspace may reach, what it was refused, and what passed. */
export function NetworkPart({ workspace }: { workspace: Workspace }) {
  const change = useChange(workspace);
  // What was just pressed shows at once, and falls back when it is refused.
  const [pressed, setPressed] = useState<Network | null>(null);
  const { usage } = workspace;
  const network = pressed ?? workspace.network;
  const put = (next: Network, onSuccess: () => void) => {
    setPressed(next);
    change.mutate({ network: next }, { onSuccess, onSettled: () => setPressed(null) });
  };
  const set = (next: Network, said?: string) => {
    const before = workspace.network;
    put(next, () => {
      if (said !== undefined) tellWithUndo(said, () => put(before, () => undefined));
    });
  };
  return (
    <>
      <fieldset className="section">
        <legend className="section__head">
          <b className="strong">What it may reach</b>
        </legend>
        <div className="group">
          {networkModes.map(({ mode, label, note, icon: Icon }) => (
            <label className="start" key={mode}>
              <Icon className="icon" />
              <span className="grow">
                <b className="strong">{label}</b>
                <span className="soft">{note}</span>
              </span>
              <input
                type="radio"
                name="network"
                value={mode}
                checked={network.mode === mode}
                onChange={() => set({ ...network, mode }, `Network: ${label.toLowerCase()}`)}
              />
            </label>
          ))}
        </div>
        <p className="quiet">
          The model is reached in every mode. This server, private networks and other workspaces never are.
        </p>
      </fieldset>
      {change.error && <FailureAlert failure={failureOf(change.error)} title="The network stays as it was" fresh />}
      {network.mode === "allow-list" && <AllowList network={network} onChange={set} busy={change.isPending} />}
      <Denials workspace={workspace} />
      <section className="section" aria-labelledby="traffic">
        <div className="section__head">
          <h2 id="traffic">Traffic</h2>
        </div>
        <dl className="group facts">
          <div>
            <dt>In</dt>
            <dd className="num">{bytesOrDash(usage?.networkInBytes)}</dd>
          </div>
          <div>
            <dt>Out</dt>
            <dd className="num">{bytesOrDash(usage?.networkOutBytes)}</dd>
          </div>
        </dl>
        <p className="quiet">Counted since the workspace started.</p>
      </section>
    </>
  );
}

function bytesOrDash(bytes: number | null | undefined): string {
  return typeof bytes === "number" ? formatBytes(bytes) : "–";
}

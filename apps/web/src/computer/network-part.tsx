import type { Network } from "@alcove/contract/api/network";
import type { Workspace } from "@alcove/contract/api/workspace";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { formatBytes } from "../format/format.ts";
import { queries } from "../live/queries.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { tellWithUndo } from "../ui/undo-toast.tsx";
import { AllowList } from "./allow-list.tsx";
import { useChange } from "./change.ts";
import { Denials } from "./denials.tsx";
import { networkModes } from "./network-modes.ts";

/** What the workspace may reach, what it was refused, and what passed. */
export function NetworkPart({ workspace }: { workspace: Workspace }) {
  const queryClient = useQueryClient();
  const change = useChange(workspace);
  // What was just pressed shows at once, and falls back when it is refused.
  const [pressed, setPressed] = useState<Network | null>(null);
  const { usage } = workspace;
  const network = pressed ?? workspace.network;
  const put = (next: Network, onSuccess = () => {}) => {
    setPressed(next);
    change.mutate({ network: next }, { onSuccess, onSettled: () => setPressed(null) });
  };
  // What was done meanwhile is kept when something older is taken back.
  const latest = () =>
    queryClient.getQueryData(queries.workspace(workspace.name).queryKey)?.network ?? workspace.network;
  const setMode = (mode: Network["mode"], label: string) => {
    const before = network.mode;
    put({ ...network, mode }, () =>
      tellWithUndo(`Network: ${label.toLowerCase()}`, () => put({ ...latest(), mode: before })),
    );
  };
  const allow = (hosts: string[]) => put({ ...network, allow: [...new Set([...network.allow, ...hosts])] });
  const takeOff = (host: string) =>
    put({ ...network, allow: network.allow.filter((other) => other !== host) }, () =>
      tellWithUndo(`${host} is off the list`, () => {
        const now = latest();
        put({ ...now, allow: [...new Set([...now.allow, host])] });
      }),
    );
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
                onChange={() => setMode(mode, label)}
              />
            </label>
          ))}
        </div>
        <p className="quiet">
          The model is reached in every mode. This server, private networks and other workspaces never are.
        </p>
      </fieldset>
      {change.error && <FailureAlert failure={failureOf(change.error)} title="The network stays as it was" fresh />}
      {network.mode === "allow-list" && (
        <AllowList allowed={network.allow} onAllow={allow} onTakeOff={takeOff} busy={change.isPending} />
      )}
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

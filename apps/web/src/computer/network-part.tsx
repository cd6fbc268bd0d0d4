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

/** A change of the network, made to whatever the server has by then; made twice it is the same as made once. */
type Edit = (network: Network) => Network;

/** What the workspace may reach, what it was refused, and what passed. */
export function NetworkPart({ workspace }: { workspace: Workspace }) {
  const change = useChange(workspace);
  // What is on its way shows at once, and falls back when it is refused.
  const [edits, setEdits] = useState<readonly Edit[]>([]);
  const [problem, setProblem] = useState<unknown>(null);
  const { usage } = workspace;
  const network = edits.reduce((shown, edit) => edit(shown), workspace.network);
  const apply = (edit: Edit, onSuccess = () => {}) => {
    setEdits((old) => [...old, edit]);
    setProblem(null);
    // A promise for each: what is given to `mutate` hears of the newest change only.
    void change
      .mutateAsync((latest) => ({ network: edit(latest.network) }))
      .then(onSuccess, setProblem)
      .finally(() => setEdits((old) => old.filter((other) => other !== edit)));
  };
  const setMode = (mode: Network["mode"], label: string) => {
    const before = network.mode;
    apply(
      (latest) => ({ ...latest, mode }),
      () => tellWithUndo(`Network: ${label.toLowerCase()}`, () => apply((latest) => ({ ...latest, mode: before }))),
    );
  };
  const allow = (hosts: string[]) =>
    apply((latest) => ({ ...latest, allow: [...new Set([...latest.allow, ...hosts])] }));
  const takeOff = (host: string) =>
    apply(
      (latest) => ({ ...latest, allow: latest.allow.filter((other) => other !== host) }),
      () => tellWithUndo(`${host} is off the list`, () => allow([host])),
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
      {problem !== null && <FailureAlert failure={failureOf(problem)} title="The change was not made" fresh />}
      {network.mode === "allow-list" && (
        <AllowList allowed={network.allow} onAllow={allow} onTakeOff={takeOff} busy={edits.length > 0} />
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

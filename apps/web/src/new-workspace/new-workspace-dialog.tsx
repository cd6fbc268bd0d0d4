import type { CreateWorkspace } from "@alcove/contract/api/workspace";
import type { Network } from "@alcove/contract/api/network";
import { useQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { networkModes } from "../computer/network-modes.ts";
import { queries } from "../live/queries.ts";
import { useShell } from "../shell/context.tsx";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { ToggleGroup } from "../ui/toggle-group.tsx";
import { LimitFields, limitsOf, type LimitTexts } from "./limit-fields.tsx";
import { NameField } from "./name-field.tsx";
import { TemplateList } from "./template-list.tsx";

type Runtime = "embedded" | "docker";

/** A new workspace with what it should have: a template, a name, and under "More" where it runs, what it may reach and use. */
export default function NewWorkspaceDialog() {
  const { creation, creating, setCreating, newWorkspace } = useShell();
  const templates = useQuery(queries.templates());
  const [template, setTemplate] = useState<string | null>(creating?.template ?? null);
  const [name, setName] = useState("");
  const [more, setMore] = useState(false);
  const [runtime, setRuntime] = useState<Runtime>("embedded");
  const [mode, setMode] = useState<Network["mode"]>("open");
  const [texts, setTexts] = useState<LimitTexts>({});
  const limits = limitsOf(texts);
  const chosen = templates.data?.items.find((other) => other.name === template?.split("@")[0]);
  const runtimes = chosen?.runtimes ?? [...new Set(templates.data?.items.flatMap((other) => other.runtimes))];

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (limits === null || creation.state === "creating") return;
    const wish: CreateWorkspace = {
      ...(name === "" ? {} : { name }),
      ...(template === null ? {} : { template }),
      ...(runtimes.length > 1 ? { runtime } : {}),
      ...(mode === "open" ? {} : { network: { mode, allow: [] } }),
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
    };
    newWorkspace({}, wish);
  };
  const failed = creation.state === "failed" ? creation : null;
  const isTaken = failed?.failure.code === "name_taken";

  return (
    <Dialog
      open={creating !== null}
      onOpenChange={() => setCreating(null)}
      title="New workspace"
      className="dialog--new"
    >
      <form className="grid gap-4" onSubmit={submit}>
        {templates.isPending && <SkeletonRows rows={4} />}
        {templates.isError && !templates.data && (
          <FailureAlert failure={failureOf(templates.error)} title="The templates cannot be listed" />
        )}
        {templates.data && templates.data.items.length > 0 && (
          <TemplateList templates={templates.data.items} chosen={template} onChange={setTemplate} />
        )}
        <NameField
          name={name}
          onChange={setName}
          placeholder="q4-update"
          note="Left empty, a name is chosen for you."
          refusal={isTaken && failed.wish.name === name ? failed.failure.detail : null}
        />
        <button type="button" className="fold" aria-expanded={more} onClick={() => setMore(!more)}>
          <ChevronRight className="icon icon--s" /> More: network, limits{runtimes.length > 1 ? ", where it runs" : ""}
        </button>
        {more && (
          <div className="grid gap-4">
            {runtimes.length > 1 && (
              <div className="choice">
                <span className="strong">Runs on</span>
                <ToggleGroup<Runtime>
                  label="Runs on"
                  value={runtime}
                  options={[
                    { value: "embedded", label: "This machine" },
                    { value: "docker", label: "Docker" },
                  ]}
                  onChange={setRuntime}
                />
              </div>
            )}
            <div className="choice">
              <span className="strong">Network</span>
              <ToggleGroup
                label="Network"
                value={mode}
                options={networkModes.map((other) => ({ value: other.mode, label: other.label }))}
                onChange={setMode}
              />
              <p className="quiet">{networkModes.find((other) => other.mode === mode)?.note}</p>
            </div>
            <LimitFields texts={texts} onChange={setTexts} />
          </div>
        )}
        {failed && !isTaken && <FailureAlert failure={failed.failure} title="The workspace was not created" fresh />}
        <div className="btns justify-end">
          <Button onClick={() => setCreating(null)}>Cancel</Button>
          <Button
            variant="default"
            type="submit"
            aria-disabled={limits === null}
            aria-busy={creation.state === "creating"}
          >
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

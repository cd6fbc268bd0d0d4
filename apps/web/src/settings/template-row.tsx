import type { Template, TemplateVersion } from "@alcove/contract/api/template";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, Ellipsis, Hammer, Layers, Package, Trash2, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { formatBytes, plural } from "../format/format.ts";
import { client } from "../live/client.ts";
import { toolsOf } from "../new-workspace/template-version.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { AlertDialog } from "../ui/dialog.tsx";
import { DropdownMenu, DropdownMenuItem, DropdownMenuSeparator } from "../ui/dropdown-menu.tsx";

/** One template: what is in it, how far its versions are built, and what to do when one failed. */
export function TemplateRow({ template }: { template: Template }) {
  const queryClient = useQueryClient();
  const [removing, setRemoving] = useState(false);
  const refresh = () => queryClient.invalidateQueries({ queryKey: ["templates"] });
  const build = useMutation({
    mutationFn: (version: string) => client.templates.build(template.name, version === "" ? {} : { version }),
    onSettled: refresh,
  });
  const remove = useMutation({ mutationFn: () => client.templates.delete(template.name), onSettled: refresh });
  const { title, versions, source } = template;
  const shown = versions.find(({ state }) => state === "building") ?? versions[0];
  const unbuilt = versions.filter(({ state }) => state === "missing" || state === "failed");
  const failed = versions.find(({ state }) => state === "failed");
  const problem = build.error ?? remove.error;
  const isOwn = source !== "catalogue";
  return (
    <div className="setting">
      <span className="tile">{isOwn ? <Package className="icon" /> : <Layers className="icon" />}</span>
      <div className="setting__text">
        <b className="strong">{title}</b>
        <span className="quiet">{template.description}</span>
        <span className="quiet num">{factsOf(template).join(" · ")}</span>
      </div>
      <span className="setting__fact num">
        {shown?.state === "building" && shown.percent !== null ? (
          <span
            className="meter"
            role="progressbar"
            aria-label={`Building ${title}`}
            aria-valuenow={shown.percent}
            aria-valuemin={0}
            aria-valuemax={100}
            style={{ "--at": shown.percent }}
          >
            <i />
          </span>
        ) : (
          shown?.sizeBytes != null && formatBytes(shown.sizeBytes)
        )}
      </span>
      {shown ? <State version={shown} /> : <span />}
      {unbuilt.length > 0 || isOwn ? (
        <DropdownMenu
          trigger={
            <IconButton label={`More about ${title}`}>
              <Ellipsis className="icon" />
            </IconButton>
          }
        >
          {unbuilt.map(({ version }) => (
            <DropdownMenuItem key={version} onSelect={() => build.mutate(version)}>
              <Hammer className="icon" /> Build {versions.length > 1 ? version : "now"}
            </DropdownMenuItem>
          ))}
          {isOwn && unbuilt.length > 0 && <DropdownMenuSeparator />}
          {isOwn && (
            <DropdownMenuItem danger onSelect={() => setRemoving(true)}>
              <Trash2 className="icon" /> Delete
            </DropdownMenuItem>
          )}
        </DropdownMenu>
      ) : (
        <span />
      )}
      {shown?.state === "building" && <p className="setting__more quiet">{shown.detail}</p>}
      {failed && (
        <div className="setting__more">
          <FailureAlert
            failure={{
              code: "template_build_failed",
              detail: failed.detail,
              hint: "Workspaces that waited for it failed too.",
            }}
            title={`${title} was not built`}
          >
            <Button size="sm" aria-busy={build.isPending} onClick={() => build.mutate(failed.version)}>
              Build again
            </Button>
          </FailureAlert>
        </div>
      )}
      {problem && (
        <p className="setting__more is-failed" role="alert">
          {failureOf(problem).detail}
        </p>
      )}
      <AlertDialog
        open={removing}
        onOpenChange={setRemoving}
        title={`Delete ${title}?`}
        action="Delete the template"
        onConfirm={() => remove.mutate()}
      >
        Its root file system is removed from this server. Workspaces that have it are not: while there is one, the
        template stays.
      </AlertDialog>
    </div>
  );
}

function factsOf({ versions, version, start, ports, lacks, workspaces }: Template): string[] {
  const usual = versions.find((one) => one.version === version);
  const tools = usual ? toolsOf(usual) : "";
  return [
    tools,
    versions.length > 1 ? `versions ${versions.map((one) => one.version).join(", ")}` : "",
    start ?? "",
    ports.length > 0 ? `${ports.length === 1 ? "port" : "ports"} ${ports.join(", ")}` : "",
    lacks.length > 0 ? `without ${lacks.join(", ")}` : "",
    workspaces > 0 ? plural(workspaces, "workspace") : "",
  ].filter((fact) => fact !== "");
}

function State({ version: { state, detail } }: { version: TemplateVersion }) {
  switch (state) {
    case "ready":
      return (
        <span className="state">
          <Check className="icon icon--s" /> Ready
        </span>
      );
    case "building":
      return <span className="state is-running">Being built</span>;
    case "missing":
      return (
        <span className="state quiet" title={detail}>
          On first use
        </span>
      );
    case "failed":
      return (
        <span className="state is-failed">
          <TriangleAlert className="icon icon--s" /> Not built
        </span>
      );
  }
}

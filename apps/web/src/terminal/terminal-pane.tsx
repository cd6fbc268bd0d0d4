import type { Workspace } from "@alcove/contract/api/workspace";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button, IconButton } from "../ui/button.tsx";
import { Empty, SkeletonRows } from "../ui/skeleton.tsx";
import { PhoneKeys } from "./phone-keys.tsx";
import { Screen, type ScreenHandle } from "./screen.tsx";

/** Terminals of a workspace. They go on in it while nobody looks, and come back with everything they printed. */
export default function TerminalPane({ workspace, shown }: { workspace: Workspace; shown: boolean }) {
  const queryClient = useQueryClient();
  const query = useQuery(queries.terminals(workspace.name));
  const [chosen, setChosen] = useState<string | null>(null);
  const [visited, setVisited] = useState<ReadonlySet<string>>(new Set());
  const [line, setLine] = useState<"open" | "lost">("open");
  const screen = useRef<ScreenHandle | null>(null);
  const refresh = () => queryClient.invalidateQueries({ queryKey: queries.terminals(workspace.name).queryKey });

  const create = useMutation({
    mutationFn: () => client.terminals.create(workspace.name),
    onSuccess: async (terminal) => {
      await refresh();
      setChosen(terminal.id);
    },
  });
  const end = useMutation({
    mutationFn: (id: string) => client.terminals.delete(workspace.name, id),
    onSettled: refresh,
  });

  const terminals = query.data?.items ?? [];
  const current = terminals.find((terminal) => terminal.id === chosen) ?? terminals[0];
  if (current && !visited.has(current.id)) setVisited(new Set([...visited, current.id]));

  // The first look at an empty list opens one: that is what the pane is for.
  const opened = useRef(false);
  useEffect(() => {
    if (!query.isSuccess || terminals.length > 0 || opened.current || !shown) return;
    opened.current = true;
    create.mutate();
  }, [query.isSuccess, terminals.length, shown, create]);

  const problem = create.error ?? (query.isError && !query.data ? query.error : null);
  return (
    <div className="pane pane--terminal">
      <div className="subtabs">
        <div className="editor__files" role="group" aria-label="Terminals">
          {terminals.map((terminal, index) => (
            <span className="doc-tab" key={terminal.id} data-current={terminal.id === current?.id}>
              <button type="button" aria-pressed={terminal.id === current?.id} onClick={() => setChosen(terminal.id)}>
                {terminal.title || terminal.name || `shell ${index + 1}`}
              </button>
              <button
                type="button"
                className="doc-tab__close"
                aria-label={`End ${terminal.title || terminal.name || `shell ${index + 1}`}`}
                onClick={() => end.mutate(terminal.id)}
              >
                <X className="icon icon--xs" />
              </button>
            </span>
          ))}
        </div>
        <IconButton label="New terminal" onClick={() => create.mutate()} aria-busy={create.isPending}>
          <Plus className="icon" />
        </IconButton>
        <span className="grow" />
        {line === "lost" && (
          <span className="quiet" role="status">
            Line lost, trying again; nothing is missed
          </span>
        )}
      </div>
      <div className="terminals">
        {problem && (
          <div className="p-4">
            <FailureAlert failure={failureOf(problem)} title="No terminal could be opened">
              <Button size="sm" onClick={() => (create.error ? create.mutate() : void query.refetch())}>
                Try again
              </Button>
            </FailureAlert>
          </div>
        )}
        {!problem &&
          !current &&
          (query.isSuccess && create.isSuccess ? (
            <Empty title="No terminal is open" action={<Button onClick={() => create.mutate()}>New terminal</Button>}>
              What the last one printed is gone with it; the workspace and its files are as they were.
            </Empty>
          ) : (
            <SkeletonRows rows={4} bare />
          ))}
        {terminals
          .filter((terminal) => visited.has(terminal.id))
          .map((terminal) => (
            <Screen
              key={terminal.id}
              workspace={workspace.name}
              terminal={terminal}
              shown={shown && terminal.id === current?.id}
              onLine={setLine}
              onExit={() => void refresh()}
              handle={(handle) => {
                if (terminal.id === current?.id) screen.current = handle;
              }}
            />
          ))}
      </div>
      <PhoneKeys send={(bytes) => screen.current?.send(bytes)} onCtrl={(on) => screen.current?.setCtrl(on)} />
    </div>
  );
}

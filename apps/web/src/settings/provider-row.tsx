import type { Provider } from "@alcove/contract/api/agent";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, Ellipsis, HardDrive, KeyRound, RefreshCw, Replace, Trash2, TriangleAlert } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { formatAgo, plural } from "../format/format.ts";
import { client } from "../live/client.ts";
import { useNow } from "../shell/clock.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { AlertDialog } from "../ui/dialog.tsx";
import { DropdownMenu, DropdownMenuItem, DropdownMenuSeparator } from "../ui/dropdown-menu.tsx";
import { failureOf } from "../ui/alert.tsx";
import { Input } from "../ui/input.tsx";
import { useSaveProvider } from "./provider-form.tsx";
import { providerTitle } from "./provider-kinds.tsx";

/** One connected provider: whether its key works, and what to do when it does not. */
export function ProviderRow({ provider }: { provider: Provider }) {
  const queryClient = useQueryClient();
  const now = useNow(30_000);
  const [replacing, setReplacing] = useState(false);
  const [removing, setRemoving] = useState(false);
  const refresh = () =>
    Promise.all([["providers"], ["agents"]].map((queryKey) => queryClient.invalidateQueries({ queryKey })));
  const check = useMutation({ mutationFn: () => client.providers.check(provider.name), onSettled: refresh });
  const remove = useMutation({ mutationFn: () => client.providers.delete(provider.name), onSettled: refresh });
  const title = providerTitle(provider);
  const bad = provider.state === "refused" || provider.state === "unreachable";
  const problem = check.error ?? remove.error;
  const facts = [
    provider.keyEnding ? `Key ending in ${provider.keyEnding}` : null,
    provider.source === "environment" ? "from the server's environment" : null,
    provider.checkedAt ? `checked ${agoText(provider.checkedAt, now)}` : null,
    provider.models.length > 0 ? plural(provider.models.length, "model") : null,
  ];
  return (
    <div className="setting">
      <span className="tile">
        {provider.kind === "compatible" ? <HardDrive className="icon" /> : <KeyRound className="icon" />}
      </span>
      <div className="setting__text">
        <b className="strong">{title}</b>
        <span className="quiet">
          {facts
            .filter(Boolean)
            .join(", ")
            .replace(/^./, (first) => first.toUpperCase())}
        </span>
      </div>
      <span className="setting__fact cut" title={provider.baseUrl}>
        {hostOf(provider.baseUrl)}
      </span>
      <State state={provider.state} checking={check.isPending} />
      <DropdownMenu
        trigger={
          <IconButton label={`More about ${title}`}>
            <Ellipsis className="icon" />
          </IconButton>
        }
      >
        <DropdownMenuItem onSelect={() => check.mutate()}>
          <RefreshCw className="icon" /> Check now
        </DropdownMenuItem>
        <DropdownMenuItem onSelect={() => setReplacing(true)}>
          <Replace className="icon" /> Replace the key
        </DropdownMenuItem>
        <DropdownMenuSeparator />
        <DropdownMenuItem danger onSelect={() => setRemoving(true)}>
          <Trash2 className="icon" /> Remove
        </DropdownMenuItem>
      </DropdownMenu>
      {bad && <Bad provider={provider} title={title} onCheck={() => check.mutate()} />}
      {!bad && replacing && (
        <div className="setting__more">
          <KeyFix provider={provider} title={title} onDone={() => setReplacing(false)} />
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
        title={`Remove ${title}?`}
        action="Remove the key"
        onConfirm={() => remove.mutate()}
      >
        Agents that use it stop at their next question to the model. The key is deleted from this server.
      </AlertDialog>
    </div>
  );
}

function agoText(at: string, now: number): string {
  const ago = formatAgo(at, now);
  return ago === "now" || ago === "yesterday"
    ? `just ${ago}`.replace("just yesterday", "yesterday")
    : /\d (min|h)$/.test(ago)
      ? `${ago} ago`
      : ago;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function State({ state, checking }: { state: Provider["state"]; checking: boolean }) {
  if (checking) return <span className="state quiet">Checking</span>;
  switch (state) {
    case "works":
      return (
        <span className="state">
          <Check className="icon icon--s" /> Works
        </span>
      );
    case "unchecked":
      return <span className="state quiet">Not checked</span>;
    case "refused":
    case "unreachable":
      return (
        <span className="state is-failed">
          <TriangleAlert className="icon icon--s" /> {state === "refused" ? "Refused" : "No answer"}
        </span>
      );
  }
}

function Bad({ provider, title, onCheck }: { provider: Provider; title: string; onCheck: () => void }) {
  const [raw, setRaw] = useState(false);
  const refused = provider.state === "refused";
  return (
    <div className="error">
      <TriangleAlert className="icon" />
      <b className="strong">{refused ? `${title} does not accept this key` : `${title} does not answer`}</b>
      <p>
        {provider.error?.detail.replace(/[.]?$/, ".")} Runs that need it stop until a key works. What they wrote is
        kept.
      </p>
      {refused && <KeyFix provider={provider} title={title} />}
      {raw && provider.error && (
        <pre className="command mt-2">{`${provider.error.code}\n${provider.error.detail}\n${provider.error.hint}`}</pre>
      )}
      <div className="btns">
        <Button size="sm" onClick={onCheck}>
          Check again
        </Button>
        {provider.error && (
          <Button size="sm" variant="ghost" aria-expanded={raw} onClick={() => setRaw(!raw)}>
            What {title} answered
          </Button>
        )}
      </div>
    </div>
  );
}

function KeyFix({ provider, title, onDone }: { provider: Provider; title: string; onDone?: () => void }) {
  const [key, setKey] = useState("");
  const save = useSaveProvider();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate(
      { name: provider.name, kind: provider.kind, baseUrl: provider.baseUrl, key: key.trim() },
      {
        onSuccess: () => {
          setKey("");
          onDone?.();
        },
      },
    );
  };
  return (
    <form className="error__fix" onSubmit={submit}>
      <Input
        type="password"
        aria-label={`New ${title} key`}
        placeholder="New key"
        autoComplete="off"
        required
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      <Button variant="default" type="submit" aria-busy={save.isPending}>
        {save.isPending ? "Checking" : "Check and save"}
      </Button>
      {onDone && <Button onClick={onDone}>Cancel</Button>}
      {save.error && (
        <p className="is-failed" role="alert">
          {failureOf(save.error).detail}
        </p>
      )}
    </form>
  );
}

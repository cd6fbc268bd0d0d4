import type { ApiKey } from "@alcove/contract/api/account";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, Copy, KeyRound } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { formatAgo } from "../format/format.ts";
import { client } from "../live/client.ts";
import { queries } from "../live/queries.ts";
import { useNow } from "../shell/clock.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { AlertDialog } from "../ui/dialog.tsx";
import { Input } from "../ui/input.tsx";

/** Keys for programs: made here, shown once, revoked at any time. */
export function ApiKeys() {
  const queryClient = useQueryClient();
  const keys = useQuery(queries.keys());
  const [name, setName] = useState("");
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const refresh = () => queryClient.invalidateQueries({ queryKey: ["keys"] });
  const create = useMutation({
    mutationFn: () => client.keys.create({ name: name.trim() }),
    onSuccess: () => {
      setName("");
      return refresh();
    },
  });
  const revoke = useMutation({ mutationFn: (key: string) => client.keys.revoke(key), onSettled: refresh });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    create.mutate();
  };
  const problem = create.error ?? revoke.error;
  return (
    <section className="section" aria-labelledby="keys">
      <div className="section__head">
        <h2 id="keys">API keys</h2>
      </div>
      <p className="soft">
        For scripts, CI and the command line of another computer: <code>Authorization: Bearer alc_…</code>
      </p>
      <div className="group">
        {create.data && <NewKey secret={create.data.key} name={create.data.name} />}
        {keys.data?.items.map((key) => (
          <KeyRow key={key.id} apiKey={key} onRevoke={() => setRevoking(key)} />
        ))}
        <form className="key-form" onSubmit={submit}>
          <Input
            aria-label="Name of the new key"
            placeholder="Name of the new key"
            required
            maxLength={80}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <Button type="submit" aria-busy={create.isPending}>
            Create a key
          </Button>
        </form>
      </div>
      {problem && <FailureAlert failure={failureOf(problem)} fresh />}
      <AlertDialog
        open={revoking !== null}
        onOpenChange={() => setRevoking(null)}
        title={`Revoke ${revoking?.name ?? ""}?`}
        action="Revoke the key"
        onConfirm={() => revoking && revoke.mutate(revoking.id)}
      >
        Programs that use it are refused from now on.
      </AlertDialog>
    </section>
  );
}

function KeyRow({ apiKey, onRevoke }: { apiKey: ApiKey; onRevoke: () => void }) {
  const now = useNow(60_000);
  return (
    <div className="setting">
      <span className="tile">
        <KeyRound className="icon" />
      </span>
      <div className="setting__text">
        <b className="strong">{apiKey.name}</b>
        <span className="quiet">
          <code>{apiKey.start}…</code>, made {formatAgo(apiKey.createdAt, now)}
        </span>
      </div>
      <span className="setting__fact">
        {apiKey.lastUsedAt ? `used ${formatAgo(apiKey.lastUsedAt, now)}` : "never used"}
      </span>
      <span />
      <Button size="sm" onClick={onRevoke}>
        Revoke
      </Button>
    </div>
  );
}

function NewKey({ secret, name }: { secret: string; name: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(secret);
    setCopied(true);
  };
  return (
    <div className="p-4 grid gap-2" role="status">
      <b className="strong">{name}: copy it now, it is shown this once</b>
      <div className="flex gap-2">
        <code className="command grow" tabIndex={0}>
          {secret}
        </code>
        <Button onClick={() => void copy()}>
          {copied ? <Check className="icon" /> : <Copy className="icon" />} {copied ? "Copied" : "Copy"}
        </Button>
      </div>
    </div>
  );
}

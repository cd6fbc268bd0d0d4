import type { ProviderKind } from "@alcove/contract/api/agent";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type SubmitEvent } from "react";
import { client } from "../live/client.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/input.tsx";
import { ToggleGroup } from "../ui/toggle-group.tsx";
import { kinds } from "./provider-kinds.tsx";

/** A key is saved, then asked whether it works; the list shows what came of it. */
export function useSaveProvider() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async ({ name, ...provider }: { name: string } & Parameters<typeof client.providers.put>[1]) => {
      await client.providers.put(name, provider);
      return client.providers.check(name);
    },
    onSettled: () =>
      Promise.all([["providers"], ["agents"]].map((queryKey) => queryClient.invalidateQueries({ queryKey }))),
  });
}

/** Connects a provider of models. */
export function ProviderForm({
  kind: given,
  taken,
  onDone,
}: {
  kind?: ProviderKind;
  taken: string[];
  onDone: () => void;
}) {
  const [kind, setKind] = useState<ProviderKind>(given ?? "anthropic");
  const [name, setName] = useState("");
  const [key, setKey] = useState("");
  const [baseUrl, setBaseUrl] = useState("");
  const [models, setModels] = useState("");
  const [elsewhere, setElsewhere] = useState(false);
  const save = useSaveProvider();
  const id = useId();
  const info = kinds.find((other) => other.kind === kind);
  const own = kind === "compatible";
  const finalName = own ? name.trim() : kind;

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const list = models.split(/[\s,]+/).filter(Boolean);
    save.mutate(
      {
        name: finalName,
        kind,
        key: key.trim(),
        ...(baseUrl.trim() === "" ? {} : { baseUrl: baseUrl.trim() }),
        ...(list.length > 0 ? { models: list } : {}),
      },
      // The row of the list takes over from here, with the provider's answer when it refused.
      { onSuccess: onDone },
    );
  };

  return (
    <form className="grid gap-4" onSubmit={submit}>
      {given === undefined && (
        <ToggleGroup
          label="Provider"
          value={kind}
          options={kinds.map((other) => ({ value: other.kind, label: other.title }))}
          onChange={setKind}
        />
      )}
      {own && (
        <Field label="Name" id={`${id}-name`} note="As it should be called here, such as ollama">
          <Input
            id={`${id}-name`}
            required
            value={name}
            pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
            onChange={(event) => setName(event.target.value.toLowerCase())}
          />
        </Field>
      )}
      <Field
        label="Key"
        id={`${id}-key`}
        note={taken.includes(finalName) ? "Takes the place of the key that is stored now" : undefined}
      >
        <Input
          id={`${id}-key`}
          type="password"
          autoComplete="off"
          required
          autoFocus
          placeholder={info?.keyHint}
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
      </Field>
      {own || elsewhere ? (
        <Field
          label="Base URL"
          id={`${id}-url`}
          note={
            own
              ? "The address before /chat/completions, as in http://10.0.0.4:11434/v1"
              : "Leave it empty for the provider's own"
          }
        >
          <Input
            id={`${id}-url`}
            type="url"
            required={own}
            value={baseUrl}
            placeholder="https://"
            onChange={(event) => setBaseUrl(event.target.value)}
          />
        </Field>
      ) : (
        <button type="button" className="link quiet justify-self-start" onClick={() => setElsewhere(true)}>
          Use another address
        </button>
      )}
      {own && (
        <Field label="Models" id={`${id}-models`} note="Only when the server cannot list its own; separated by spaces">
          <Input id={`${id}-models`} value={models} onChange={(event) => setModels(event.target.value)} />
        </Field>
      )}
      {save.error && <FailureAlert failure={failureOf(save.error)} title="The key was not saved" fresh />}
      <div className="btns">
        <Button variant="default" type="submit" aria-busy={save.isPending}>
          {save.isPending ? "Checking" : "Check and save"}
        </Button>
        <Button onClick={onDone}>Cancel</Button>
      </div>
    </form>
  );
}

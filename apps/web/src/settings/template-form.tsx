import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type SubmitEvent } from "react";
import { client } from "../live/client.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/input.tsx";
import { ToggleGroup } from "../ui/toggle-group.tsx";

type Source = "packages" | "archive" | "image" | "dockerfile" | "devcontainer" | "nix";
type NixFile = "workspace.nix" | "flake.nix";
type Node = "none" | "24" | "22" | "20";

const sources: { value: Source; label: string; needsDocker: boolean }[] = [
  { value: "packages", label: "Packages", needsDocker: false },
  { value: "archive", label: "A file", needsDocker: false },
  { value: "nix", label: "Nix", needsDocker: false },
  { value: "image", label: "Image", needsDocker: true },
  { value: "dockerfile", label: "Dockerfile", needsDocker: true },
  { value: "devcontainer", label: "devcontainer.json", needsDocker: true },
];

/** Adds a template of one's own: packages by name, a file with a root file system, a Nix expression, or where there is Docker what it can build. */
export function TemplateForm({ docker, onDone }: { docker: boolean; onDone: () => void }) {
  const queryClient = useQueryClient();
  const id = useId();
  const [source, setSource] = useState<Source>("packages");
  const [name, setName] = useState("");
  const [packages, setPackages] = useState("");
  const [node, setNode] = useState<Node>("none");
  const [image, setImage] = useState("");
  const [dockerfile, setDockerfile] = useState("");
  const [devcontainer, setDevcontainer] = useState("");
  const [nix, setNix] = useState("");
  const [nixFile, setNixFile] = useState<NixFile>("workspace.nix");
  const [file, setFile] = useState<File | null>(null);
  const [start, setStart] = useState("");
  const [ports, setPorts] = useState("");
  const madeOf = () => {
    switch (source) {
      case "packages":
      case "archive":
        return {
          packages: packages.split(/[\s,]+/).filter(Boolean),
          ...(node === "none" ? {} : { node }),
        };
      case "image":
        return { image: image.trim() };
      case "dockerfile":
        return { dockerfile };
      case "devcontainer":
        return { devcontainer, ...(dockerfile.trim() === "" ? {} : { dockerfile }) };
      case "nix":
        return { nix: { file: nixFile, text: nix } };
    }
  };
  const add = useMutation({
    mutationFn: () => {
      const numbers = ports.split(/[\s,]+/).filter(Boolean);
      const described = { name, ...(start.trim() === "" ? {} : { start: start.trim() }) };
      if (source === "archive" && file !== null)
        return client.templates.upload(
          { ...described, ...(numbers.length > 0 ? { ports: numbers.join(",") } : {}) },
          file,
        );
      return client.templates.add({
        ...described,
        ...madeOf(),
        ...(numbers.length > 0 ? { ports: numbers.map(Number) } : {}),
      });
    },
    onSuccess: onDone,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["templates"] }),
  });

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    add.mutate();
  };

  return (
    <form className="grid gap-4" onSubmit={submit}>
      <ToggleGroup<Source>
        label="Made of"
        value={source}
        options={sources.filter(({ needsDocker }) => docker || !needsDocker)}
        onChange={setSource}
      />
      <Field label="Name" id={`${id}-name`} note="As workspaces ask for it, such as data-tools">
        <Input
          id={`${id}-name`}
          required
          autoFocus
          maxLength={40}
          pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.target.value.toLowerCase().replace(/\s+/g, "-"))}
        />
      </Field>
      {source === "packages" && (
        <>
          <Field label="Debian packages" id={`${id}-packages`} note="Separated by spaces, over the usual tools">
            <Input
              id={`${id}-packages`}
              required
              spellCheck={false}
              placeholder="ffmpeg imagemagick"
              value={packages}
              onChange={(event) => setPackages(event.target.value)}
            />
          </Field>
          <div className="choice">
            <span className="strong">Node</span>
            <ToggleGroup<Node>
              label="Node"
              value={node}
              options={[
                { value: "none", label: "None" },
                { value: "24", label: "24" },
                { value: "22", label: "22" },
                { value: "20", label: "20" },
              ]}
              onChange={setNode}
            />
          </div>
        </>
      )}
      {source === "archive" && (
        <Field
          label="File"
          id={`${id}-file`}
          note="A tar of a root file system, or of an OCI image layout; plain, gzipped or by zstd"
        >
          <input
            id={`${id}-file`}
            className="input input--file"
            type="file"
            required
            onChange={(event) => setFile(event.target.files?.[0] ?? null)}
          />
        </Field>
      )}
      {source === "nix" && (
        <>
          <ToggleGroup<NixFile>
            label="File"
            value={nixFile}
            options={[
              { value: "workspace.nix", label: "workspace.nix" },
              { value: "flake.nix", label: "flake.nix" },
            ]}
            onChange={setNixFile}
          />
          <Field label={nixFile} id={`${id}-nix`} note="Built by the server's Nix when it is first used">
            <textarea
              id={`${id}-nix`}
              className="input input--text"
              required
              spellCheck={false}
              placeholder={
                nixFile === "flake.nix" ? "{ outputs = { self }: { … }; }" : "{ pkgs ? import <nixpkgs> { } }: …"
              }
              value={nix}
              onChange={(event) => setNix(event.target.value)}
            />
          </Field>
        </>
      )}
      {source === "image" && (
        <Field label="Image" id={`${id}-image`} note="One that the server's Docker has; workspaces of it run on Docker">
          <Input
            id={`${id}-image`}
            required
            spellCheck={false}
            placeholder="debian:12"
            value={image}
            onChange={(event) => setImage(event.target.value)}
          />
        </Field>
      )}
      {source === "devcontainer" && (
        <Field label="devcontainer.json" id={`${id}-devcontainer`} note="With an image, or with the Dockerfile below">
          <textarea
            id={`${id}-devcontainer`}
            className="input input--text"
            required
            spellCheck={false}
            value={devcontainer}
            onChange={(event) => setDevcontainer(event.target.value)}
          />
        </Field>
      )}
      {(source === "dockerfile" || source === "devcontainer") && (
        <Field
          label="Dockerfile"
          id={`${id}-dockerfile`}
          note={
            source === "dockerfile"
              ? "Without files beside it; a folder is sent by alcove template add"
              : "May be empty when the devcontainer.json names an image"
          }
        >
          <textarea
            id={`${id}-dockerfile`}
            className="input input--text"
            required={source === "dockerfile"}
            spellCheck={false}
            placeholder="FROM debian:12"
            value={dockerfile}
            onChange={(event) => setDockerfile(event.target.value)}
          />
        </Field>
      )}
      <Field
        label="Start command"
        id={`${id}-start`}
        note="What starts the program that its workspaces are for; may be empty"
      >
        <Input
          id={`${id}-start`}
          spellCheck={false}
          placeholder="npm run dev"
          value={start}
          onChange={(event) => setStart(event.target.value)}
        />
      </Field>
      <Field label="Ports" id={`${id}-ports`} note="On which that program listens; may be empty">
        <Input
          id={`${id}-ports`}
          inputMode="numeric"
          pattern="[0-9]+([ ,]+[0-9]+)*"
          placeholder="3000"
          value={ports}
          onChange={(event) => setPorts(event.target.value)}
        />
      </Field>
      {add.error && <FailureAlert failure={failureOf(add.error)} title="The template was not added" fresh />}
      <div className="btns">
        <Button variant="default" type="submit" aria-busy={add.isPending}>
          {add.isPending && source === "archive" ? "Sending" : "Add"}
        </Button>
        <Button onClick={onDone}>Cancel</Button>
      </div>
    </form>
  );
}

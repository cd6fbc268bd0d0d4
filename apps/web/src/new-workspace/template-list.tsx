import type { Template, TemplateVersion } from "@alcove/contract/api/template";
import { Arch } from "../ui/arch.tsx";
import { ToggleGroup } from "../ui/toggle-group.tsx";
import { toolsOf, versionOf } from "./template-version.ts";

/** The templates to choose from, the server's own first. */
export function TemplateList({
  templates,
  chosen,
  onChange,
}: {
  templates: Template[];
  /** `node`, or `node@22` for another version than the usual one. */
  chosen: string | null;
  onChange: (template: string | null) => void;
}) {
  return (
    <fieldset className="section">
      <legend className="section__head">
        <b className="strong">Template</b>
      </legend>
      <div className="group templates">
        <label className="start">
          <Arch state="idle" />
          <span className="grow">
            <b className="strong">Plain</b>
            <span className="soft">A Linux with the usual tools; what you install stays</span>
          </span>
          <input type="radio" name="template" checked={chosen === null} onChange={() => onChange(null)} />
        </label>
        {templates.map((template) => (
          <TemplateChoice key={template.name} template={template} chosen={chosen} onChange={onChange} />
        ))}
      </div>
    </fieldset>
  );
}

function TemplateChoice({
  template,
  chosen,
  onChange,
}: {
  template: Template;
  chosen: string | null;
  onChange: (template: string) => void;
}) {
  const [name, picked] = chosen?.split("@") ?? [];
  const isChosen = name === template.name;
  const version = versionOf(template, isChosen ? picked : undefined);
  const tools = toolsOf(version);
  const saysMore = isChosen && version.state !== "ready" && version.detail !== "";
  return (
    <>
      <label className="start">
        <Arch state={archOfTemplate(version)} />
        <span className="grow">
          <b className="strong">{template.title}</b>
          <span className="soft">{isChosen && tools !== "" ? tools : template.description}</span>
        </span>
        {!saysMore && (
          <span className={version.state === "failed" ? "state is-failed" : "state quiet"} title={version.detail}>
            {stateWord(version)}
          </span>
        )}
        <input type="radio" name="template" checked={isChosen} onChange={() => onChange(template.name)} />
      </label>
      {isChosen && template.versions.length > 1 && (
        <div className="start start--more">
          <span className="soft grow">Version</span>
          <ToggleGroup
            label={`Version of ${template.title}`}
            value={version.version}
            options={template.versions.map((one) => ({ value: one.version, label: one.version }))}
            onChange={(one) => onChange(one === template.version ? template.name : `${template.name}@${one}`)}
          />
        </div>
      )}
      {saysMore && (
        <p className={`start start--more ${version.state === "failed" ? "is-failed" : "quiet"}`}>{version.detail}</p>
      )}
    </>
  );
}

function archOfTemplate({ state }: TemplateVersion) {
  switch (state) {
    case "building":
      return "running";
    case "failed":
      return "failed";
    case "ready":
      return "idle";
    case "missing":
      return "asleep";
  }
}

function stateWord({ state, percent }: TemplateVersion): string {
  switch (state) {
    case "ready":
      return "Ready";
    case "building":
      return percent === null ? "Being built" : `Being built, ${percent} %`;
    case "missing":
      return "Built on first use";
    case "failed":
      return "Not built";
  }
}

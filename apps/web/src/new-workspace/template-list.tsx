import type { Template } from "@alcove/contract/api/template";
import { Arch } from "../ui/arch.tsx";

/** The templates to choose from, the server's own first. */
export function TemplateList({
  templates,
  chosen,
  onChange,
}: {
  templates: Template[];
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
          <label className="start" key={template.name}>
            <Arch state={archOfTemplate(template)} />
            <span className="grow">
              <b className="strong">{template.title}</b>
              <span className="soft">{template.description}</span>
            </span>
            <span className={template.state === "failed" ? "state is-failed" : "state quiet"} title={template.detail}>
              {stateWord(template)}
            </span>
            <input
              type="radio"
              name="template"
              checked={chosen === template.name}
              onChange={() => onChange(template.name)}
            />
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function archOfTemplate({ state }: Template) {
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

function stateWord({ state }: Template): string {
  switch (state) {
    case "ready":
      return "Ready";
    case "building":
      return "Being built";
    case "missing":
      return "Built on first use";
    case "failed":
      return "Not built";
  }
}

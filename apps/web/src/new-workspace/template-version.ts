import type { Template, TemplateVersion } from "@alcove/contract/api/template";

/** The version of that name, or the usual one. */
export function versionOf(template: Template, name?: string): TemplateVersion {
  const { state, detail } = template;
  const usual = { version: "", state, detail, percent: null, tools: {}, sizeBytes: null };
  return template.versions.find(({ version }) => version === (name ?? template.version)) ?? usual;
}

/** What is really in it, as in `node 24.21.0, npm 11.21.2`. */
export function toolsOf({ tools }: TemplateVersion): string {
  return Object.entries(tools)
    .slice(0, 6)
    .map(([tool, version]) => `${tool} ${version}`)
    .join(", ");
}

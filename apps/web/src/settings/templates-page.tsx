import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { queries } from "../live/queries.ts";
import { usePageTitle } from "../shell/page-title.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import { TemplateForm } from "./template-form.tsx";
import { TemplateRow } from "./template-row.tsx";

/** What new workspaces may begin with: the catalogue, and what people have added. */
export function TemplatesPage() {
  usePageTitle("Templates");
  const templates = useQuery(queries.templates());
  const [adding, setAdding] = useState(false);
  const items = templates.data?.items ?? [];
  const own = items.filter(({ source }) => source !== "catalogue");

  return (
    <>
      <header className="settings__head">
        <h1>Templates</h1>
        <p className="soft">
          A new workspace begins with one of these. It is built once; each workspace has a copy that it may change.
        </p>
      </header>

      <section className="section" aria-labelledby="own">
        <div className="section__head">
          <h2 id="own">Yours</h2>
          <span className="grow" />
          <Button size="sm" aria-expanded={adding} onClick={() => setAdding(!adding)}>
            <Plus className="icon icon--s" /> Add a template
          </Button>
        </div>
        {adding && (
          <div className="group p-4">
            <TemplateForm
              docker={items.some(({ runtimes }) => runtimes.includes("docker"))}
              onDone={() => setAdding(false)}
            />
          </div>
        )}
        {templates.isPending && <SkeletonRows rows={1} />}
        {templates.isError && !templates.data && <FailureAlert failure={failureOf(templates.error)} />}
        {templates.data && !adding && own.length === 0 && (
          <p className="quiet">None yet. Packages by name, a root file system or an image can be one.</p>
        )}
        {own.length > 0 && (
          <div className="group">
            {own.map((template) => (
              <TemplateRow key={template.name} template={template} />
            ))}
          </div>
        )}
      </section>

      <section className="section" aria-labelledby="catalogue">
        <div className="section__head">
          <h2 id="catalogue">Catalogue</h2>
        </div>
        {templates.isPending && <SkeletonRows rows={5} />}
        {templates.data && (
          <div className="group">
            {items
              .filter(({ source }) => source === "catalogue")
              .map((template) => (
                <TemplateRow key={template.name} template={template} />
              ))}
          </div>
        )}
      </section>
    </>
  );
}

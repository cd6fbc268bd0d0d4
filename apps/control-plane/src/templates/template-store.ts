import { and, asc, count, eq, isNotNull, sql } from "drizzle-orm";
import { CodedError } from "@alcove/contract/errors";
import type { Db } from "../database/database.ts";
import { templates, workspaces, type ImageRoot, type TemplateRoot } from "../database/schema.ts";
import { noteChange } from "../events/notices.ts";
import type { Wake } from "../events/wake.ts";

export type TemplateRow = typeof templates.$inferSelect;

/** Rows of people's own templates, and who uses which. */
export function createTemplateStore({ db, wake }: { db: Db; wake: Wake }) {
  const tell = async (owner: string, name: string): Promise<void> => {
    await noteChange(db, { owner, resource: "template", id: name, workspace: null });
    wake.notify(`owner:${owner}`);
  };
  const named = (owner: string, name: string) => and(eq(templates.ownerId, owner), eq(templates.name, name));
  /** `node@22` is a version of `node`. */
  const templateName = sql<string>`split_part(${workspaces.template}, '@', 1)`;

  return {
    tell,

    async list(owner: string): Promise<TemplateRow[]> {
      return db.select().from(templates).where(eq(templates.ownerId, owner)).orderBy(asc(templates.name));
    },

    async find(owner: string, name: string): Promise<TemplateRow | undefined> {
      return (await db.select().from(templates).where(named(owner, name)))[0];
    },

    /** Code: `name_taken`. */
    async insert(row: typeof templates.$inferInsert): Promise<TemplateRow> {
      const [fresh] = await db.insert(templates).values(row).onConflictDoNothing().returning();
      if (!fresh) throw new CodedError("name_taken", `You already have a template named "${row.name}".`);
      await tell(row.ownerId, row.name);
      return fresh;
    },

    /** Notes the image of all templates that are built in this way. */
    async keepImage(build: ImageRoot["build"], image: string): Promise<void> {
      const rows = await db
        .update(templates)
        .set({ root: sql`jsonb_set(${templates.root}, '{image}', to_jsonb(${image}::text))` })
        .where(sql`${templates.root} -> 'build' = ${JSON.stringify(build)}::jsonb`)
        .returning({ owner: templates.ownerId, name: templates.name });
      for (const { owner, name } of rows) await tell(owner, name);
    },

    /** Removes the row unless a workspace has the template. Code: `template_in_use`. */
    async remove(owner: string, name: string): Promise<void> {
      await db.transaction(async (tx) => {
        await tx.select().from(templates).where(named(owner, name)).for("update");
        const users = await tx
          .select({ name: workspaces.name })
          .from(workspaces)
          .where(and(eq(workspaces.ownerId, owner), eq(templateName, name)));
        if (users.length > 0) {
          const names = users.slice(0, 5).map((user) => `"${user.name}"`);
          throw new CodedError(
            "template_in_use",
            `Cannot delete template "${name}": workspaces have it: ${names.join(", ")}`,
          );
        }
        await tx.delete(templates).where(named(owner, name));
      });
      await tell(owner, name);
    },

    /** How many of the owner's workspaces have each template, by its name. */
    async users(owner: string): Promise<Map<string, number>> {
      const rows = await db
        .select({ name: templateName, count: count() })
        .from(workspaces)
        .where(and(eq(workspaces.ownerId, owner), isNotNull(workspaces.template)))
        .groupBy(templateName);
      return new Map(rows.map((row) => [row.name, row.count]));
    },

    /** What anybody's templates and workspaces lie over. */
    async roots(): Promise<TemplateRoot[]> {
      const own = await db.select({ root: templates.root }).from(templates);
      const used = await db.select({ root: workspaces.templateRoot }).from(workspaces);
      return [...own, ...used].flatMap(({ root }) => (root === null ? [] : [root]));
    },
  };
}

export type TemplateStore = ReturnType<typeof createTemplateStore>;

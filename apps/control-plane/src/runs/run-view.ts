import type { Run } from "@alcove/contract/api/run";
import type { RunRow, runFiles } from "../database/schema.ts";

type FileRow = typeof runFiles.$inferSelect;

/** A run as the API shows it. */
export function runView(row: RunRow, workspaceName: string, files: readonly FileRow[]): Run {
  return {
    id: row.id,
    session: row.sessionId,
    workspace: row.workspaceId,
    workspaceName,
    agent: row.agent,
    model: row.model,
    mode: row.mode,
    prompt: row.prompt,
    title: row.title,
    state: row.state,
    text: row.text,
    files: files.map(({ path, change, kind, size, deliverable }) => ({
      path,
      change,
      kind,
      size,
      deliverable,
      url: `/api/v1/runs/${row.id}/files/${path.split("/").map(encodeURIComponent).join("/")}`,
    })),
    usage: {
      inputTokens: row.inputTokens,
      outputTokens: row.outputTokens,
      cacheReadTokens: row.cacheReadTokens,
      cacheWriteTokens: row.cacheWriteTokens,
      requests: row.requests,
    },
    costUsd: row.costUsd,
    error: row.error,
    undo: row.undo,
    lastSeq: row.lastSeq,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}

/** The first line of a prompt, short enough for a list. */
export function titleOf(prompt: string): string {
  const line = prompt.trim().split("\n", 1)[0] ?? "";
  const text = line.replaceAll(/\s+/g, " ").trim() || "Untitled";
  return text.length <= 80 ? text : `${text.slice(0, 79).trimEnd()}…`;
}

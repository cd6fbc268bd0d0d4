import path from "node:path";
import type { Change } from "@alcove/contract/api/workspace";

/** What a program leaves behind for itself: nobody asks for it as the result of a turn. */
const machineFolders = new Set([
  "node_modules",
  ".git",
  "__pycache__",
  ".venv",
  "venv",
  ".cache",
  ".next",
  ".turbo",
  "target",
  ".pytest_cache",
  ".mypy_cache",
]);
const documents = new Set([
  ".md",
  ".markdown",
  ".html",
  ".htm",
  ".pdf",
  ".docx",
  ".xlsx",
  ".pptx",
  ".odt",
  ".ods",
  ".odp",
  ".rtf",
  ".csv",
  ".tsv",
  ".txt",
  ".png",
  ".jpg",
  ".jpeg",
  ".gif",
  ".webp",
  ".svg",
  ".mp3",
  ".wav",
  ".mp4",
  ".webm",
  ".epub",
  ".ics",
  ".zip",
]);
const instructionFiles = new Set([
  "agents.md",
  "claude.md",
  "readme.md",
  "changelog.md",
  "license.md",
  "license.txt",
  "robots.txt",
  "requirements.txt",
  "cmakelists.txt",
]);

/** How many changed files of one turn are kept. */
export const fileLimit = 2_000;

/** True for a change that people care about: below `user/`, not in folders of machines, not an agent's or tool's own settings. */
export function isUsersChange({ path: file, kind }: Change): boolean {
  if (kind === "folder" || !file.startsWith("user/")) return false;
  const parts = file.split("/").slice(1);
  if (parts.some((part) => machineFolders.has(part))) return false;
  return !(parts[0] === "home" && parts[1]?.startsWith("."));
}

/** True when people would open it by itself: a document, table, picture or page, not code or configuration. */
export function isDeliverable({ path: file, kind, change }: Change): boolean {
  if (kind !== "file" || change === "deleted") return false;
  const name = path.basename(file).toLowerCase();
  return documents.has(path.extname(name)) && !instructionFiles.has(name) && !name.startsWith(".");
}

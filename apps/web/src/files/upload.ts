import { client } from "../live/client.ts";

export interface Upload {
  path: string;
  file: File;
}

/** The files of a drop, with the folders that were dropped walked through. */
export async function filesOf(transfer: DataTransfer): Promise<Upload[]> {
  // The list of items is emptied when the event is over: entries are taken before anything is awaited.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const uploads: Upload[] = [];
  for (const entry of entries) await walk(entry, "", uploads);
  return uploads;
}

async function walk(entry: FileSystemEntry, folder: string, uploads: Upload[]): Promise<void> {
  const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
  if (entry instanceof FileSystemFileEntry) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    uploads.push({ path, file });
  }
  if (!(entry instanceof FileSystemDirectoryEntry)) return;
  const reader = entry.createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const child of batch) await walk(child, path, uploads);
  }
}

/** Writes files into a folder of the workspace one after the other; a file that is there already keeps its place and the new one gets a number. */
export async function uploadInto(
  workspace: string,
  folder: string,
  uploads: Upload[],
  onProgress: (done: number, name: string) => void,
): Promise<void> {
  for (const [done, upload] of uploads.entries()) {
    onProgress(done, upload.path);
    const taken = await namesIn(workspace, parentOf(`${folder}/${upload.path}`));
    await client.files.write(workspace, freeName(`${folder}/${upload.path}`, taken), upload.file, {
      ifNew: true,
      parents: true,
    });
  }
}

async function namesIn(workspace: string, folder: string): Promise<Set<string>> {
  const listing = await client.files.list(workspace, folder).catch(() => null);
  return new Set(listing?.items.map((item) => item.name));
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** `report.pdf`, or `report 2.pdf` when the name is taken. */
export function freeName(path: string, taken: ReadonlySet<string>): string {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const name = path.slice(folder.length);
  if (!taken.has(name)) return path;
  const dot = name.lastIndexOf(".");
  const stem = dot > 0 ? name.slice(0, dot) : name;
  const ending = dot > 0 ? name.slice(dot) : "";
  let number = 2;
  while (taken.has(`${stem} ${number}${ending}`)) number += 1;
  return `${folder}${stem} ${number}${ending}`;
}

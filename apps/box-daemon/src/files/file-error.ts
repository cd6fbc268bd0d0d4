import { CodedError, type ErrorCode } from "@alcove/contract/errors";
import { showPath, type WorkspacePath } from "./path.ts";

const forbidden = { code: "file_forbidden", reason: "the workspace's user may not read or write here" } as const;
const full = { code: "workspace_full", reason: "the workspace's disk is full" } as const;

/** What the system's error codes mean to people, as the end of a sentence. */
const meanings: Readonly<Record<string, { code: ErrorCode; reason: string }>> = {
  ENOENT: { code: "file_not_found", reason: "there is no such file or folder" },
  ENOTDIR: { code: "not_a_folder", reason: "a part of the path is not a folder" },
  EISDIR: { code: "is_folder", reason: "it is a folder" },
  EEXIST: { code: "file_exists", reason: "something is already there" },
  ENOTEMPTY: { code: "folder_not_empty", reason: "the folder is not empty" },
  EACCES: forbidden,
  EPERM: forbidden,
  EROFS: { code: "file_forbidden", reason: "nothing can be written here" },
  EBUSY: { code: "file_forbidden", reason: "the system uses it" },
  EXDEV: { code: "file_forbidden", reason: "it lies on another file system" },
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: { code: "workspace_full", reason: "the file is larger than a file may be" },
  ENAMETOOLONG: { code: "path_invalid", reason: "the name is too long" },
  EINVAL: { code: "path_invalid", reason: "it cannot be used that way, as a folder cannot be moved into itself" },
  ELOOP: { code: "path_invalid", reason: "it goes through too many links" },
};

/** The operating system's error code of a failure; null when it has none. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** A failed file operation as a coded error; what is no expected failure stays as it is. */
export function fileError(error: unknown, path: WorkspacePath): unknown {
  const system = systemCode(error);
  const meaning = system === null ? undefined : meanings[system];
  if (error instanceof CodedError || meaning === undefined) return error;
  return new CodedError(meaning.code, `Cannot use "${showPath(path)}": ${meaning.reason}`, { cause: error });
}

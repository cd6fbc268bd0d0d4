import { CodedError, type ErrorCode } from "@alcove/contract/errors";
import { showPath, type WorkspacePath } from "./path.ts";

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "file_not_found",
  ENOTDIR: "not_a_folder",
  EISDIR: "is_folder",
  EEXIST: "file_exists",
  ENOTEMPTY: "folder_not_empty",
  EACCES: "file_forbidden",
  EPERM: "file_forbidden",
  EROFS: "file_forbidden",
  EBUSY: "file_forbidden",
  EXDEV: "file_forbidden",
  ENOSPC: "workspace_full",
  EDQUOT: "workspace_full",
  EFBIG: "workspace_full",
  ENAMETOOLONG: "path_invalid",
  EINVAL: "path_invalid",
  ELOOP: "path_invalid",
};

/** The operating system's error code of a failure; null when it has none. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** A failed file operation as a coded error; what is no expected failure stays as it is. */
export function fileError(error: unknown, path: WorkspacePath): unknown {
  const system = systemCode(error);
  const code = system === null ? undefined : codes[system];
  if (error instanceof CodedError || code === undefined) return error;
  return new CodedError(code, `Cannot use "${showPath(path)}": ${system}`, { cause: error });
}

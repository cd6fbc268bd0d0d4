/**
 * The catalogue of error codes: HTTP status, a title in the grammar "Cannot <action>: <reason>" or a plain fact, and what the user can do.
 * `docs/errors.md` lists the same codes; a check compares the two both ways.
 */
export const errorCatalogue = {
  // Requests
  bad_request: {
    status: 400,
    title: "The request is malformed",
    hint: "Compare the request with /api/v1/openapi.json.",
  },
  not_signed_in: {
    status: 401,
    title: "This needs a signed-in user or an API key",
    hint: "Sign in on the page, or send `Authorization: Bearer alc_…`; `alcove key create NAME` prints a key.",
  },
  sign_in_link_spent: {
    status: 401,
    title: "This sign-in link was used or has expired",
    hint: "Run `alcove link` on the server for a new one.",
  },
  origin_refused: {
    status: 403,
    title: "The request comes from another web site",
    hint: "Open the page from the server's own address.",
  },
  not_allowed: { status: 403, title: "You may not do this", hint: "Ask the owner of this server." },
  not_found: { status: 404, title: "There is nothing here that you may see", hint: "Check the id or name." },
  name_taken: { status: 409, title: "The name is already in use", hint: "Choose another name." },
  idempotency_mismatch: {
    status: 409,
    title: "The idempotency key was used for another request",
    hint: "Use a new Idempotency-Key for a new request.",
  },
  too_large: {
    status: 413,
    title: "The request is too large",
    hint: "Send less at once; files go through PUT …/files/<path>.",
  },
  too_many_requests: { status: 429, title: "Too many requests", hint: "Wait a moment and try again." },
  internal: {
    status: 500,
    title: "The server made a mistake",
    hint: "Look for the trace id in the server's log and report it.",
  },
  server_unreachable: {
    status: 503,
    title: "The Alcove server does not answer",
    hint: "Check that it runs and that the address is right.",
  },
  shutting_down: { status: 503, title: "The server is stopping", hint: "Try again in a few seconds." },

  // Workspaces
  workspace_busy: {
    status: 409,
    title: "The workspace is busy with another operation",
    hint: "Wait until it is done and try again.",
  },
  runtime_unavailable: {
    status: 409,
    title: "This server cannot run workspaces on that runtime",
    hint: "Choose another runtime; `alcove doctor` says what is missing.",
  },
  image_not_found: {
    status: 404,
    title: "Docker has no such image",
    hint: "Build it or `docker pull` it on the server, then try again.",
  },
  image_build_failed: {
    status: 422,
    title: "The image was not built",
    hint: "Read the end of the build's output, change the Dockerfile and try again.",
  },
  out_of_memory: {
    status: 409,
    title: "The workspace reached its memory limit, and a program in it was ended",
    hint: "Raise the memory limit of the workspace, or let its programs use less.",
  },
  out_of_processes: {
    status: 409,
    title: "The workspace reached its limit of processes",
    hint: "End programs in the workspace, or raise the limit.",
  },
  limit_too_low: {
    status: 409,
    title: "The limit is below what is in use",
    hint: "End programs in the workspace first, or choose a higher limit.",
  },
  archive_invalid: {
    status: 400,
    title: "The archive cannot be unpacked",
    hint: "Send a tar file, plain or gzipped, with files, folders and links only.",
  },
  workspace_asleep: {
    status: 409,
    title: "The workspace is asleep",
    hint: "Start it, or ask without `wake=false`.",
  },
  workspace_deleting: { status: 409, title: "The workspace is being deleted", hint: "Create a new one." },
  workspace_start_failed: {
    status: 502,
    title: "The workspace did not start",
    hint: "Read its log, then start it again.",
  },
  workspace_unreachable: {
    status: 502,
    title: "The workspace does not answer",
    hint: "Start it again; its files are kept.",
  },
  epoch_stale: {
    status: 409,
    title: "The workspace was started again in the meantime",
    hint: "Ask for its state; the newer start counts.",
  },
  workspace_full: { status: 507, title: "The workspace's disk is full", hint: "Delete files or raise its disk limit." },
  snapshot_failed: {
    status: 502,
    title: "The snapshot was not taken",
    hint: "Check the free space of the server's disk.",
  },
  terminal_gone: { status: 410, title: "The terminal has ended", hint: "Open a new one." },

  // Templates
  template_unknown: {
    status: 404,
    title: "There is no template of this name",
    hint: "`alcove template ls` lists them.",
  },
  template_unavailable: {
    status: 501,
    title: "This host cannot build the template",
    hint: "Run `alcove doctor`: it names what is missing.",
  },
  template_build_failed: {
    status: 502,
    title: "The template was not built",
    hint: "Read the reason, then build it again: `alcove template build NAME`.",
  },
  template_not_built: {
    status: 409,
    title: "The template's root file system is not there",
    hint: "Build it: `alcove template build NAME`.",
  },
  template_in_use: {
    status: 409,
    title: "Workspaces have this template",
    hint: "Delete them first.",
  },
  template_invalid: {
    status: 400,
    title: "This is not a root file system that a workspace can have",
    hint: "Send a tar of a whole Linux with glibc, or of an OCI image layout, plain, gzipped or by zstd.",
  },

  // Files and commands in a workspace
  path_outside: {
    status: 400,
    title: "The path leads out of the workspace",
    hint: "Use a path below the workspace's folder, without links that leave it.",
  },
  path_invalid: {
    status: 400,
    title: "The path cannot be used",
    hint: "A path has no NUL byte, at most 4096 bytes, and parts of at most 255 bytes.",
  },
  file_not_found: { status: 404, title: "There is no such file", hint: "List the folder to see what is there." },
  file_exists: {
    status: 409,
    title: "Something is already there",
    hint: "Choose another name or delete what is there.",
  },
  file_changed: { status: 412, title: "The file was changed by somebody else", hint: "Read it again, then write." },
  is_folder: { status: 409, title: "This is a folder", hint: "Name a file." },
  not_a_folder: { status: 409, title: "A part of the path is not a folder", hint: "Check the path." },
  folder_not_empty: { status: 409, title: "The folder is not empty", hint: "Delete it with ?recursive=true." },
  file_forbidden: {
    status: 403,
    title: "The workspace's user may not touch this file",
    hint: "Change its owner or mode in a terminal.",
  },
  command_not_found: {
    status: 404,
    title: "There is no such command in the workspace",
    hint: "Install it in a terminal or check the spelling.",
  },
  command_timed_out: {
    status: 504,
    title: "The command took too long and was ended",
    hint: "Give it a longer timeoutMs.",
  },
  port_closed: {
    status: 502,
    title: "Nothing listens on this port in the workspace",
    hint: "Start the server in a terminal.",
  },

  // Runs and agents
  agent_unknown: { status: 404, title: "There is no agent of this name", hint: "GET /api/v1/agents lists them." },
  agent_install_failed: {
    status: 502,
    title: "The agent could not be installed",
    hint: "Check that this server reaches the npm registry, then try again.",
  },
  agent_failed: {
    status: 502,
    title: "The agent ended with an error",
    hint: "Read the end of the conversation, then send the next message to go on.",
  },
  agent_died: {
    status: 502,
    title: "The agent's process ended in the middle of its work",
    hint: "What it wrote is kept. Send the next message to continue.",
  },
  run_interrupted: {
    status: 409,
    title: "The run was interrupted and its last step may or may not have happened",
    hint: "Check the workspace, then send the next message to continue.",
  },
  run_finished: { status: 409, title: "The run has already ended", hint: "Start a new run." },
  run_not_undoable: {
    status: 409,
    title: "This run cannot be undone",
    hint: "Its checkpoint is gone, or it has not ended yet.",
  },
  model_key_missing: {
    status: 409,
    title: "No model is connected for this agent",
    hint: "Add a key under Settings, Agents and models.",
  },
  model_key_refused: {
    status: 502,
    title: "The model provider refused the key",
    hint: "Enter a valid key under Settings, Agents and models.",
  },
  model_unreachable: {
    status: 502,
    title: "The model provider does not answer",
    hint: "Check the base URL and this server's network.",
  },
  model_failed: {
    status: 502,
    title: "The model provider answered with an error",
    hint: "Read its answer; it may be overloaded or the model's name may be wrong.",
  },
  run_token_invalid: {
    status: 401,
    title: "The token is not valid for any current run",
    hint: "A token ends with its run; start a new run.",
  },
  approval_answered: { status: 409, title: "The question was already answered", hint: "Nothing is left to do." },
  approval_expired: { status: 409, title: "The agent that asked is gone", hint: "Send the next message to continue." },
  provider_unknown: {
    status: 404,
    title: "There is no provider of this name",
    hint: "GET /api/v1/providers lists them.",
  },

  // The host
  port_taken: {
    status: 500,
    title: "The address is already in use",
    hint: "Stop the other program or start with ALCOVE_PORT=7701.",
  },
  data_not_writable: {
    status: 500,
    title: "The data directory is not writable",
    hint: "Choose another with ALCOVE_DATA, or change its owner.",
  },
  database_newer: {
    status: 500,
    title: "The database was written by a newer version",
    hint: "Start that version, or restore a backup.",
  },
  database_older: {
    status: 500,
    title: "The database was written by an older major version of PostgreSQL",
    hint: "Dump it with that version and load the dump into a new data directory.",
  },
  database_taken: {
    status: 500,
    title: "The database belongs to another data directory",
    hint: "Give this server a database of its own: the files of the workspaces in that one are elsewhere.",
  },
  database_unreachable: {
    status: 503,
    title: "The database does not answer",
    hint: "Try again in a few seconds; if that does not help, check DATABASE_URL or the log of the local PostgreSQL.",
  },
  namespaces_forbidden: {
    status: 501,
    title: "This host does not allow user namespaces",
    hint: "Run `alcove doctor`: it names the setting.",
  },
  host_unreachable: {
    status: 503,
    title: "The host process does not answer",
    hint: "It is started again by itself: try again in a few seconds.",
  },
  host_full: { status: 507, title: "The server's disk is full", hint: "Free some space on the server." },
} as const satisfies Record<string, { status: number; title: string; hint: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCatalogue, text);
}

/** An expected failure: a code of the catalogue and a sentence for people. */
export class CodedError extends Error {
  override readonly name = "CodedError";
  readonly code: ErrorCode;
  readonly hint: string;
  constructor(code: ErrorCode, detail?: string, options?: { hint?: string; cause?: unknown }) {
    super(detail ?? errorCatalogue[code].title, { cause: options?.cause });
    this.code = code;
    this.hint = options?.hint ?? errorCatalogue[code].hint;
  }
}

/** The error as a CodedError; anything unexpected becomes `internal` with the original as its cause. */
export function toCodedError(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  return new CodedError("internal", undefined, { cause: error });
}

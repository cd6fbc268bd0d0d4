import { connect } from "node:net";
import { CodedError, isErrorCode } from "@alcove/contract/errors";
import { isRecord } from "../http/body.ts";

export type SessionMessage = { cancel: true } | { permission: string; option: string };

/** Asks the run's session process; null when nothing listens on its socket. Gives the codes that the process answers. */
export async function askSession(socketPath: string, message: SessionMessage): Promise<"done" | null> {
  const line = await exchange(socketPath, `${JSON.stringify(message)}\n`);
  if (line === null) return null;
  const answer: unknown = JSON.parse(line);
  if (!isRecord(answer)) throw new CodedError("internal");
  if (answer["ok"] === true) return "done";
  const code = answer["code"];
  const detail = answer["detail"];
  throw new CodedError(
    typeof code === "string" && isErrorCode(code) ? code : "internal",
    typeof detail === "string" ? detail : undefined,
  );
}

function exchange(path: string, line: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(line));
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", () => resolve(null));
    socket.on("close", () => resolve(text === "" ? null : text));
  });
}

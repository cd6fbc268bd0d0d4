import { unlinkSync } from "node:fs";
import { createServer } from "node:net";
import { CodedError, toCodedError } from "@alcove/contract/errors";
import { isRecord } from "../http/body.ts";

/** What `serve` may ask of a session process: one JSON line each way per connection. */
export interface SessionControl {
  cancel(): void;
  answer(id: string, option: string): void;
}

/** Listens for `{"cancel":true}` and `{"permission":id,"option":id}`; answers `{"ok":true}` or `{"code","detail"}`. */
export function listenControl(path: string, control: SessionControl): void {
  try {
    unlinkSync(path);
  } catch {
    // There is none.
  }
  const server = createServer((socket) => {
    let text = "";
    socket.on("error", () => socket.destroy());
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (!text.includes("\n")) return;
      socket.end(`${JSON.stringify(handle(text, control))}\n`);
    });
  });
  server.listen(path);
  server.unref();
}

function handle(line: string, control: SessionControl): unknown {
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value) && value["cancel"] === true) control.cancel();
    else if (isRecord(value) && typeof value["permission"] === "string" && typeof value["option"] === "string") {
      control.answer(value["permission"], value["option"]);
    } else throw new CodedError("bad_request");
    return { ok: true };
  } catch (error) {
    const coded = toCodedError(error);
    return { code: coded.code, detail: coded.message };
  }
}

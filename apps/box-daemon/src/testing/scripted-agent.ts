/**
 * A small agent that speaks the Agent Client Protocol on its pipes, for what no real agent does on command. The prompt says what to do:
 * `say TEXT`, `count N`, `ask`, `hang`, `die`, `stray`, `fail`. `NO_RESUME` and `NO_LOAD` in its environment take these abilities away.
 */
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

interface Message {
  id?: number;
  method?: string;
  params?: { sessionId?: string; prompt?: { text: string }[] };
  result?: { outcome?: unknown };
}

const send = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const answers = new Map<number, (message: Message) => void>();
const cancels = new Set<() => void>();
const session = "scripted-1";

const say = (text: string) =>
  send({
    method: "session/update",
    params: { sessionId: session, update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } },
  });

const ask = () =>
  new Promise<Message>((resolve) => {
    answers.set(100, resolve);
    send({
      id: 100,
      method: "session/request_permission",
      params: {
        sessionId: session,
        toolCall: { toolCallId: "t1", title: "Write a file" },
        options: [
          { optionId: "yes", name: "Yes", kind: "allow_once" },
          { optionId: "no", name: "No", kind: "reject_once" },
        ],
      },
    });
  });

async function prompt(text: string): Promise<string> {
  const [verb, argument = ""] = text.split(" ");
  if (process.env["PROMPTS"]) appendFileSync(process.env["PROMPTS"], `${text}\n`);
  if (verb === "count") for (let number = 1; number <= Number(argument); number++) say(`${number} `);
  if (verb === "ask") say(JSON.stringify((await ask()).result?.outcome));
  if (verb === "stray") process.stdout.write("this is not JSON\n");
  if (verb === "die") process.kill(process.pid, "SIGKILL");
  if (verb === "fail") throw new Error("the model is away");
  if (verb === "hang") {
    // A child in a group of its own, as agents' shells have.
    spawn("sleep", ["600"], { detached: true, stdio: "ignore" }).unref();
    say("hanging");
    await new Promise<void>((resolve) => cancels.add(resolve));
    return "cancelled";
  }
  say(argument);
  return "end_turn";
}

async function answer({ method, params }: Message): Promise<object> {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: 1,
        agentCapabilities: {
          loadSession: !process.env["NO_LOAD"],
          sessionCapabilities: process.env["NO_RESUME"] ? {} : { resume: {} },
        },
      };
    case "session/load":
      say("replayed history");
      return {};
    case "session/new":
      return { sessionId: session };
    case "session/prompt":
      return { stopReason: await prompt(params?.prompt?.[0]?.text ?? "") };
    default:
      return {};
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const message: Message = JSON.parse(line);
  if (message.method === "session/cancel") for (const cancel of cancels) cancel();
  else if (message.method === undefined) answers.get(message.id ?? 0)?.(message);
  else {
    answer(message).then(
      (result) => send({ id: message.id, result }),
      (error: Error) => send({ id: message.id, error: { code: -32603, message: error.message } }),
    );
  }
}

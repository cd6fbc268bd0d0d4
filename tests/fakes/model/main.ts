/** The stand-in model as a program: `node tests/fakes/model/main.ts --port N --key K`. */
import { parseArgs } from "node:util";
import { startFakeModel } from "./fake-model.ts";

const { values } = parseArgs({ options: { port: { type: "string", default: "0" }, key: { type: "string" } } });
const model = await startFakeModel({ port: Number(values.port), ...(values.key !== undefined && { key: values.key }) });
process.stdout.write(`${JSON.stringify({ url: model.url, key: model.key })}\n`);

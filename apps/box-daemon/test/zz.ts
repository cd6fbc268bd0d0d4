import { startDaemon } from "./start-daemon.ts";
import { playGateway } from "./play-gateway.ts";
import { journalOf, saidIn, updatesIn } from "./run-agent.ts";
import { startFakeModel } from "../../../tests/fakes/model/fake-model.ts";
import { scriptedPrompt } from "../../../tests/fakes/model/script.ts";
import { agentDefinitions } from "../../control-plane/src/agents/agents.ts";
import { newId } from "@alcove/contract/ids";
import fs from "node:fs";
const cache="/work/main/node_modules/.cache/alcove-agents"; fs.mkdirSync(cache+"/node/bin",{recursive:true}); try{fs.symlinkSync(process.execPath, cache+"/node/bin/node")}catch{}
const only = process.argv[2];
for (const agent of agentDefinitions) {
 if (only && agent.name!==only) continue;
 const model = await startFakeModel(); const d = await startDaemon(); const gw = await playGateway(d, model);
 try {
 const session = newId("session");
 for (const mode of ["process","process"] as const) for (const provider of agent.providers) {
 const run = newId("run"); const t=Date.now();
 const base=`http://127.0.0.1:${d.gatewayPort}`;
 const spec = { run, session, directory:"user/projects", prompt: scriptedPrompt("Please write it.", [{think:"Let me think."},{shell:"echo from-shell > shell.txt; echo visible"},{say:"Now the file."},{write:{path:`out-${run.slice(-4)}.md`,content:"# Hi\n\nBody\n"}},{say:"All done."}]), mode, model: agent.models.find(m=>m.provider===provider)?.id ?? "some-model",
  agent: agent.launch({provider, model: agent.models.find(m=>m.provider===provider)?.id ?? "some-model", mode, token:"alct_test", gateway:{anthropic:base+"/anthropic", openai: base+"/openai/v1"}}, {workspace:d.root, opt:cache, arch:"x64"}) };
 console.log(agent.name, provider, "PUT", (await d.call("PUT","/v1/runs/"+run,{body:spec})).status);
 const first = model.nextRequest(r=>r.method==="POST").then(r=>console.log("  first model request after ms", r.at-t));
 const timer = setTimeout(()=>{console.log("TIMEOUT", d.log(), fs.readFileSync(d.root+"/system/state/runs/"+run+"/journal.ndjson","utf8")); process.exit(1)},40000);
 const j = await journalOf(d, run); clearTimeout(timer);
 console.log(JSON.stringify(j.at(0)), "\n", JSON.stringify(j.at(-1)), "\n", JSON.stringify(saidIn(j)), updatesIn(j), j.length, Date.now()-t);
 if (j.at(-1).outcome!=="done"||process.env.V) for (const e of j) console.log(JSON.stringify(e).slice(0,600));
 console.log(fs.readdirSync(d.root+"/user/projects"), model.requests.map(r=>r.path+(r.body.model?":"+r.body.model:"")+":"+(r.body.tools?.length??0)).slice(-8), [...gw.tokens]);
 }
 } finally { if (process.env.L) console.log(d.log()); await gw[Symbol.asyncDispose](); await d[Symbol.asyncDispose](); await model[Symbol.asyncDispose](); }
}
process.exit(0);

import { CodedError } from "@alcove/contract/errors";
import { readFields, textField } from "../http/body.ts";
import { linesResponse } from "../http/lines.ts";
import type { Route } from "../http/router.ts";
import { parseRunSpec } from "./run-spec.ts";
import type { Runs } from "./runs.ts";

export function runRoutes(runs: Runs): Route[] {
  return [
    {
      method: "PUT",
      path: "/v1/runs/",
      async handle({ request, rest }) {
        const spec = parseRunSpec(await readFields(request));
        if (spec.run !== rest) throw new CodedError("bad_request", "The run in the path is not the run in the body");
        return Response.json({}, { status: runs.put(spec) ? 201 : 200 });
      },
    },
    {
      method: "GET",
      path: "/v1/runs/",
      async handle({ rest, query }) {
        const [run, what, ...more] = rest.split("/");
        const after = Number(query.get("after") ?? 0);
        if (run === undefined || what !== "journal" || more.length > 0) throw new CodedError("not_found");
        if (!Number.isSafeInteger(after) || after < 0)
          throw new CodedError("bad_request", '"after" is not a number of an entry');
        runs.require(run);
        return linesResponse((signal) => runs.follow(run, after, signal));
      },
    },
    {
      method: "POST",
      path: "/v1/runs/",
      async handle({ request, rest }) {
        const [run, what, permission, ...more] = rest.split("/");
        if (run === undefined || more.length > 0) throw new CodedError("not_found");
        if (what === "cancel" && permission === undefined) await runs.cancel(run);
        else if (what === "permissions" && permission !== undefined) {
          await runs.answer(run, permission, textField(await readFields(request), "option"));
        } else throw new CodedError("not_found");
        return Response.json({});
      },
    },
  ];
}

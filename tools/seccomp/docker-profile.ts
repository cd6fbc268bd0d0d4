import { absentCalls, allowedCalls, conditionalCalls, refusals, type Condition } from "./profile.ts";

type Argument = {
  index: number;
  value: number;
  valueTwo?: number;
  op: "SCMP_CMP_EQ" | "SCMP_CMP_NE" | "SCMP_CMP_MASKED_EQ";
};
type Rule = { names: string[]; action: string; errnoRet?: number; args?: Argument[] };

const notImplemented = 38;
/** Families of sockets that a kernel may know. */
const families = Array.from({ length: 64 }, (_, family) => family);

/** The source file that holds the same list as `generatedSource` in the form that Docker compiles itself, for the machine's own architecture. */
export function dockerSource(): string {
  const profile = dockerProfile().match(/.{1,140}/g) ?? [];
  return `// Made by tools/seccomp/make.ts from tools/seccomp/profile.ts; a test compares them.

/** The seccomp profile of boxes as Docker reads it (docs.docker.com/engine/security/seccomp). */
export const seccompProfile = [
${profile.map((line) => `  ${JSON.stringify(line)},`).join("\n")}
].join("");
`;
}

function dockerProfile(): string {
  const conditional = Object.entries(conditionalCalls).flatMap(([name, ways]) =>
    ways.flatMap((way) =>
      combine(way.map(alternatives)).map((args): Rule => ({ names: [name], action: "SCMP_ACT_ALLOW", args })),
    ),
  );
  const rules: Rule[] = [
    { names: allowedCalls, action: "SCMP_ACT_ALLOW" },
    ...conditional,
    { names: absentCalls, action: "SCMP_ACT_ERRNO", errnoRet: notImplemented },
    ...refusedSockets(),
  ];
  return JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    syscalls: rules,
  });
}

/** Conditions of which one must hold, as libseccomp compares: whole arguments, each but once in a rule. */
function alternatives(condition: Condition): Argument[] {
  const index = condition.argument;
  if ("equals" in condition) return condition.equals.map((value) => ({ index, value, op: "SCMP_CMP_EQ" }));
  if ("without" in condition) return [{ index, value: condition.without, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }];
  return differing(index, condition.differs);
}

/** One group of four bits that none of the values has, or one bit that all of them have otherwise: bits above the lower 32 do not matter. */
function differing(index: number, values: number[]): Argument[] {
  const last = new Set(values.map((value) => value & 0xf));
  const [first = 0] = values;
  if (values.some((value) => value >>> 4 !== first >>> 4)) throw new Error("the values differ in more than four bits");
  const bits = Array.from({ length: 28 }, (_, bit) => 2 ** (bit + 4));
  return [
    ...bits.map((bit) => ({ value: bit, valueTwo: Math.floor(first / bit) % 2 === 1 ? 0 : bit })),
    ...Array.from({ length: 16 }, (_, low) => low)
      .filter((low) => !last.has(low))
      .map((low) => ({ value: 0xf, valueTwo: low })),
  ].map((test) => ({ index, ...test, op: "SCMP_CMP_MASKED_EQ" }));
}

function combine(choices: Argument[][]): Argument[][] {
  return choices.reduce<Argument[][]>(
    (ways, next) => ways.flatMap((way) => next.map((argument) => [...way, argument])),
    [[]],
  );
}

/** What is refused of `socket` with another error than the rest: rules of their own, because the default has only one. */
function refusedSockets(): Rule[] {
  const ways = conditionalCalls["socket"] ?? [];
  const named = new Set(ways.flatMap(([family]) => (family !== undefined && "equals" in family ? family.equals : [])));
  const refuse = (args: Argument[]): Rule => ({
    names: ["socket"],
    action: "SCMP_ACT_ERRNO",
    errnoRet: refusals["socket"] ?? 1,
    args,
  });
  const unknown = families
    .filter((family) => !named.has(family))
    .map((value) => refuse([{ index: 0, value, op: "SCMP_CMP_EQ" }]));
  const protocols = ways.flatMap(([family, protocol]) => {
    if (family === undefined || !("equals" in family) || protocol === undefined || !("equals" in protocol)) return [];
    const [value = 0] = protocol.equals;
    return family.equals.map((of) =>
      refuse([
        { index: 0, value: of, op: "SCMP_CMP_EQ" },
        { index: protocol.argument, value, op: "SCMP_CMP_NE" },
      ]),
    );
  });
  return [...unknown, ...protocols];
}

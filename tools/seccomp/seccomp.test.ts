import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Architecture, compileSeccomp } from "./compile.ts";
import { dockerSource } from "./docker-profile.ts";
import { generatedSource } from "./generate.ts";
import { allowedCalls, conditionalCalls } from "./profile.ts";
import table from "./system-calls.json" with { type: "json" };

const allowed = "allow";
const auditArchitecture = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };

/** What the kernel would answer: its classic BPF machine, with the instructions that the compiler uses. */
function ask(
  architecture: Architecture,
  number: number,
  parameters: number[] = [],
  from: number = auditArchitecture[architecture],
): string {
  const program = compileSeccomp(architecture, table[architecture]);
  const input = Buffer.alloc(64);
  input.writeUInt32LE(number >>> 0, 0);
  input.writeUInt32LE(from, 4);
  for (const [index, value] of parameters.entries()) input.writeBigUInt64LE(BigInt(value), 16 + index * 8);
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const code = program.readUInt16LE(at * 8);
    const [jumpTrue, jumpFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const value = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean): void => void (at += holds ? jumpTrue : jumpFalse);
    if (code === 0x20) accumulator = input.readUInt32LE(value);
    else if (code === 0x05) at += value;
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else if (code === 0x06) return value === 0x7fff0000 ? allowed : `errno ${value & 0xffff}`;
    else throw new Error(`unknown instruction ${code}`);
  }
}

const call = (name: string, ...parameters: number[]): string =>
  ask("x86_64", table.x86_64[name as keyof typeof table.x86_64], parameters);
const eperm = "errno 1";
const enosys = "errno 38";
const unsupported = "errno 97";

test("the committed programs are those that the profile makes", () => {
  const committed = (path: string) => readFileSync(new URL(`../../apps/host/src/${path}`, import.meta.url), "utf8");
  expect(committed("boxes/seccomp-program.generated.ts")).toBe(generatedSource());
  expect(committed("docker/seccomp-profile.generated.ts")).toBe(dockerSource());
});

test.each(["x86_64", "aarch64"] as const)("every call of %s is answered as the profile says", (architecture) => {
  const numbers: Record<string, number> = table[architecture];
  for (const [name, number] of Object.entries(numbers)) {
    if (name in conditionalCalls) continue;
    const expected = name === "clone3" ? enosys : allowedCalls.includes(name) ? allowed : eperm;
    expect([name, ask(architecture, number)]).toEqual([name, expected]);
  }
});

test("every name of the profile is a call of some architecture", () => {
  const known = new Set([...Object.keys(table.x86_64), ...Object.keys(table.aarch64)]);
  expect([...allowedCalls, ...Object.keys(conditionalCalls)].filter((name) => !known.has(name))).toEqual([]);
});

test("a call that the kernel got later, of the x32 interface or of another architecture is not there", () => {
  expect(ask("x86_64", 467)).toBe(enosys);
  expect(ask("x86_64", 0x40000000)).toBe(enosys);
  expect(ask("x86_64", -1)).toBe(enosys);
  expect(ask("x86_64", 0, [], 0x40000003)).toBe(enosys);
});

test("clone makes processes and threads but no namespace", () => {
  expect(call("clone", 0x11)).toBe(allowed);
  expect(call("clone", 0x3d0f00)).toBe(allowed);
  for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
    expect(call("clone", flag | 0x11)).toBe(eperm);
});

test("sockets are of the internet, of the machine, or ask for routes", () => {
  expect([1, 2, 10].map((family) => call("socket", family, 1, 0))).toEqual([allowed, allowed, allowed]);
  expect(call("socket", 16, 3, 0)).toBe(allowed);
  expect([9, 15, 16].map((protocol) => call("socket", 16, 3, protocol))).toEqual([
    unsupported,
    unsupported,
    unsupported,
  ]);
  expect([17, 38, 40, 44].map((family) => call("socket", family, 3, 0))).toEqual([
    unsupported,
    unsupported,
    unsupported,
    unsupported,
  ]);
});

test("a terminal cannot be fed, and a personality does not turn protection off", () => {
  expect(call("ioctl", 0, 0x5413)).toBe(allowed);
  expect([0x5412, 0x541c].map((request) => call("ioctl", 0, request))).toEqual([eperm, eperm]);
  expect([0, 8, 0xffffffff].map((persona) => call("personality", persona))).toEqual([allowed, allowed, allowed]);
  expect(call("personality", 0x0400000)).toBe(eperm);
});

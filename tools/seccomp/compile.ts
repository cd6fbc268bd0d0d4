import { absentCalls, allowedCalls, conditionalCalls, refusals, type Condition } from "./profile.ts";

/**
 * Compiles the profile to a classic BPF program (seccomp(2), linux/bpf_common.h): the call's number is looked up by halves in sorted ranges, so that a call costs
 * about ten instructions. Little-endian machines only.
 */

type Instruction = [code: number, jumpTrue: number, jumpFalse: number, value: number];
export type CallTable = Record<string, number>;

const code = { load: 0x20, jumpAlways: 0x05, jumpEqual: 0x15, jumpGreaterEqual: 0x35, jumpSet: 0x45, answer: 0x06 };
const architectures = { x86_64: 0xc000003e, aarch64: 0xc00000b7 } as const;
export type Architecture = keyof typeof architectures;
/** Offsets in struct seccomp_data. */
const offset = { number: 0, architecture: 4, arguments: 16 };
/** Calls of the x32 interface carry this bit on x86-64. */
const x32Bit = 0x40000000;

const give = (value: number): Instruction => [code.answer, 0, 0, value];
const allow = give(0x7fff0000);
const giveError = (errno: number): Instruction => give(0x00050000 + errno);
const eperm = 1;
const enosys = 38;
const refuse = giveError(eperm);
const absent = giveError(enosys);
const longestJump = 255;

/** The program for one architecture, as the kernel's array of struct sock_filter. */
export function compileSeccomp(architecture: Architecture, table: CallTable): Buffer {
  const program: Instruction[] = [
    [code.load, 0, 0, offset.architecture],
    [code.jumpEqual, 1, 0, architectures[architecture]],
    absent,
    [code.load, 0, 0, offset.number],
    ...decide(intervals(table)),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [operation, jumpTrue, jumpFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(operation, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  }
  return bytes;
}

/** From this number up to the next interval, these instructions give the answer. */
type Interval = { from: number; leaf: Instruction[] };

function intervals(table: CallTable): Interval[] {
  const leaves = new Map<number, Instruction[]>();
  const set = (name: string, leaf: Instruction[]): void => {
    const number = table[name];
    if (number !== undefined) leaves.set(number, leaf);
  };
  for (const name of allowedCalls) set(name, [allow]);
  for (const [name, ways] of Object.entries(conditionalCalls)) set(name, conditional(ways, refusals[name]));
  for (const name of absentCalls) set(name, [absent]);

  const end = Math.max(...Object.values(table)) + 1;
  const all: Interval[] = [];
  for (let number = 0; number < end; number++) {
    const leaf = leaves.get(number) ?? [refuse];
    if (all.at(-1)?.leaf[0] !== leaf[0] || leaf.length > 1) all.push({ from: number, leaf });
  }
  // Also holds the x32 calls, whose numbers begin far above.
  if (end > x32Bit) throw new Error("the table holds x32 calls");
  return [...all, { from: end, leaf: [absent] }];
}

/** A tree of comparisons; every leaf ends in an answer, so nothing is jumped over. */
function decide(choices: Interval[]): Instruction[] {
  const middle = choices[Math.floor(choices.length / 2)];
  if (choices.length === 1 || middle === undefined) return choices[0]?.leaf ?? [];
  const left = decide(choices.slice(0, Math.floor(choices.length / 2)));
  const right = decide(choices.slice(Math.floor(choices.length / 2)));
  if (left.length <= longestJump) return [[code.jumpGreaterEqual, left.length, 0, middle.from], ...left, ...right];
  return [[code.jumpGreaterEqual, 0, 1, middle.from], [code.jumpAlways, 0, 0, left.length], ...left, ...right];
}

function conditional(ways: Condition[][], errno = eperm): Instruction[] {
  return [...ways.flatMap((way) => oneWay(way)), giveError(errno)];
}

/** Answers "allow" when all conditions hold, and goes on after itself when one does not. */
function oneWay(conditions: Condition[]): Instruction[] {
  let body: Instruction[] = [allow];
  for (const condition of conditions.toReversed()) body = [...test(condition, body.length), ...body];
  return body;
}

/** Falls through to the next instruction when the condition holds, and jumps over `skipped` more when not. */
function test(condition: Condition, skipped: number): Instruction[] {
  const load: Instruction = [code.load, 0, 0, offset.arguments + condition.argument * 8];
  if ("without" in condition) return [load, [code.jumpSet, skipped, 0, condition.without]];
  if ("differs" in condition) {
    const values = condition.differs;
    return [
      load,
      ...values.map((value, index): Instruction => [code.jumpEqual, values.length - 1 - index + skipped, 0, value]),
    ];
  }
  const values = condition.equals;
  return [
    load,
    ...values.map((value, index): Instruction => {
      const last = index === values.length - 1;
      return [code.jumpEqual, values.length - 1 - index, last ? skipped : 0, value];
    }),
  ];
}

import { compileSeccomp, type CallTable } from "./compile.ts";
import table from "./system-calls.json" with { type: "json" };

const wrap = (base64: string): string => (base64.match(/.{1,140}/g) ?? []).map((line) => `    "${line}",`).join("\n");
const entry = (name: "x86_64" | "aarch64", node: string, calls: CallTable): string =>
  `  ${node}: [\n${wrap(compileSeccomp(name, calls).toString("base64"))}\n  ].join(""),`;

/** The source file that holds the compiled programs. */
export function generatedSource(): string {
  return `// Made by tools/seccomp/make.ts from tools/seccomp/profile.ts; a test compares them.

const programs: Record<string, string> = {
${entry("x86_64", "x64", table.x86_64)}
${entry("aarch64", "arm64", table.aarch64)}
};

/** The compiled seccomp program of this machine's architecture in base64: struct sock_filter[] (seccomp(2)). */
export function seccompProgram(): string {
  const program = programs[process.arch];
  if (program === undefined) throw new Error(\`there is no seccomp program for \${process.arch}\`);
  return program;
}
`;
}

import type { TreeRecipe } from "@alcove/contract/host";

/** A template of the catalogue. Each version is one root file system; the first is the usual one. */
export interface CatalogueTemplate {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly start: string;
  readonly ports: readonly number[];
  readonly versions: readonly { readonly version: string; readonly recipe: TreeRecipe }[];
  /** What of it people ask for by version, by the recipe's names. */
  readonly shows: readonly string[];
}

const npm = "11.21.2";

/** Releases of Node with long support, newest first. */
export const nodeReleases = {
  "24": { version: "24.21.0", npm },
  "22": { version: "22.23.3", npm },
  "20": { version: "20.20.2", npm },
} as const;

/** The version that the server's distribution has. */
const system = "system";
const compilers = ["g++", "make", "pkg-config"];

export const catalogue: readonly CatalogueTemplate[] = [
  {
    name: "node",
    title: "Node",
    description: "JavaScript and TypeScript with npm, and a compiler for packages that need one",
    start: "npm run dev",
    ports: [3000, 5173],
    versions: (["24", "22", "20"] as const).map((version) => ({
      version,
      recipe: { packages: compilers, node: nodeReleases[version], npm: [] },
    })),
    shows: ["node", "npm"],
  },
  {
    name: "python",
    title: "Python",
    description: "Python with pip, virtual environments and the headers for packages that are compiled",
    start: "python3 main.py",
    ports: [8000],
    versions: [
      {
        version: system,
        recipe: {
          packages: ["python3", "python3-dev", "python3-pip", "python3-venv", ...compilers],
          node: null,
          npm: [],
        },
      },
    ],
    shows: ["python3", "python3-pip"],
  },
  {
    name: "rust",
    title: "Rust",
    description: "The Rust compiler with cargo, and OpenSSL's headers",
    start: "cargo run",
    ports: [8080],
    versions: [
      { version: system, recipe: { packages: ["rustc", "cargo", "libssl-dev", ...compilers], node: null, npm: [] } },
      {
        version: "newest",
        recipe: { packages: ["rustc-web", "cargo-web", "libssl-dev", ...compilers], node: null, npm: [] },
      },
    ],
    shows: ["rustc", "cargo", "rustc-web", "cargo-web"],
  },
  {
    name: "go",
    title: "Go",
    description: "The Go compiler and its tools, with a C compiler for cgo",
    start: "go run .",
    ports: [8080],
    versions: [{ version: system, recipe: { packages: ["golang-go", ...compilers], node: null, npm: [] } }],
    shows: ["golang-go"],
  },
  {
    name: "full-stack",
    title: "Full-stack",
    description: "Node and Python together, with PostgreSQL and Redis to start when you need them",
    start: "npm run dev",
    ports: [3000, 5173, 8000],
    versions: [
      {
        version: "24",
        recipe: {
          packages: [
            "python3",
            "python3-dev",
            "python3-pip",
            "python3-venv",
            "postgresql",
            "redis-server",
            ...compilers,
          ],
          node: nodeReleases["24"],
          npm: [
            { name: "pnpm", version: "10.34.8" },
            { name: "typescript", version: "7.0.2" },
          ],
        },
      },
    ],
    shows: ["node", "python3", "postgresql", "redis-server", "pnpm", "typescript"],
  },
];

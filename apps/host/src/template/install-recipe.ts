import type { TreeRecipe } from "@alcove/contract/host";
import { arch } from "node:os";
import { plainEnvironment } from "../kernel/command.ts";
import { findByEnvironment, signalProcess } from "../kernel/processes.ts";
import { proxyEnvironment } from "./proxy-environment.ts";
import { buildMark, type Workshop } from "./workshop.ts";

/**
 * Puts devices, the host's resolver and its certificates into the tree for as long as the build takes, and goes there. Where they are asked for, the host's programs
 * and terminals are there too, and the resolver is a box's. None of the mounts is seen outside.
 */
export const enterTree = `set -eu
root=$1
shift
for device in null zero full random urandom tty; do
  [ -e "$root/dev/$device" ] || : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount --rbind /proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
cp /etc/ssl/certs/ca-certificates.crt "$root/run/certificates.crt"
if [ -n "\${hostPrograms:-}" ]; then
  mount --rbind "$hostPrograms" "$root/usr"
  mkdir -p "$root/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  ln -sfn pts/ptmx "$root/dev/ptmx"
else
  mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
fi
exec chroot "$root" sh -c "$@"
`;

/** Programs of Node and npm come as packages of the npm registry: whole, with a checksum, any version. */
const installInTree = `set -eu
umask 022
tell() { echo "step:$1:$2"; }
fetch() {
  curl --fail --silent --show-error --location --retry 3 "$registry/$1/$2" > /tmp/package.json
  curl --fail --silent --show-error --location --retry 3 "$(jq -r .dist.tarball /tmp/package.json)" > /tmp/package.tgz
  sum="sha512-$(openssl dgst -sha512 -binary /tmp/package.tgz | base64 -w 0)"
  [ "$sum" = "$(jq -r .dist.integrity /tmp/package.json)" ] || { echo "$1 $2 came with another checksum" >&2; exit 1; }
  mkdir -p "$3"
  tar --extract --gzip --file /tmp/package.tgz --directory "$3" --strip-components=1 --no-same-owner
}
if [ -n "$packages" ]; then
  tell 2 "asking the package archive"
  apt-get -q -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any update > /dev/null
  apt-get -q -y -o APT::Sandbox::User=root -o APT::Status-Fd=3 -o APT::Cmd::Pattern-Only=true --no-install-recommends install $packages 3>&1 > /dev/null
  apt-get clean
  rm -rf /var/lib/apt/lists/*
  mkdir -p /var/lib/apt/lists/partial
fi
if [ -n "$node" ]; then
  tell 90 "fetching Node $node"
  fetch "node-linux-$arch" "$node" /tmp/node
  install -D --mode=755 /tmp/node/bin/node /usr/local/bin/node
  install -D --mode=644 /tmp/node/package.json /usr/local/share/node/package.json
  tell 94 "fetching npm $npm"
  fetch npm "$npm" /usr/local/lib/node_modules/npm
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
  chmod 755 /usr/local/lib/node_modules/npm/bin/*-cli.js
  if [ -n "$globals" ]; then
    tell 96 "installing $globals"
    npm install --global --ignore-scripts --no-audit --no-fund --loglevel=error --cache=/tmp/npm $globals > /dev/null
  fi
fi
find /usr/local -type d -exec chown 1000:1000 {} +
[ ! -d /usr/local/lib/node_modules ] || chown -R 1000:1000 /usr/local/lib/node_modules
tell 99 "looking at what is installed"
`;

const registry = "https://registry.npmjs.org";

/** `percent` is null where nobody can tell. */
export type OnStep = (percent: number | null, text: string) => void;

/** Installs what the recipe says in the workshop's tree. An abort ends all that takes part; an error has the last words of whoever failed. */
export async function installRecipe(options: {
  workshop: Workshop;
  recipe: TreeRecipe;
  /** Value of `buildMark` for this build alone. */
  mark: string;
  onStep: OnStep;
  signal: AbortSignal;
}): Promise<void> {
  const { workshop, recipe, mark, onStep, signal } = options;
  signal.throwIfAborted();
  const certificates = "/run/certificates.crt";
  const child = Bun.spawn([...workshop.enter, "sh", "-c", enterTree, "sh", workshop.tree, installInTree], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    cwd: "/",
    env: {
      ...plainEnvironment,
      ...proxyEnvironment(),
      ...workshop.env,
      HOME: "/root",
      TMPDIR: "/tmp",
      DEBIAN_FRONTEND: "noninteractive",
      CURL_CA_BUNDLE: certificates,
      npm_config_cafile: certificates,
      registry,
      arch: arch(),
      packages: recipe.packages.join(" "),
      node: recipe.node?.version ?? "",
      npm: recipe.node?.npm ?? "",
      globals: recipe.npm.map(({ name, version }) => `${name}@${version}`).join(" "),
      [buildMark]: mark,
    },
  });
  const stop = (): void => stopMarked(mark);
  signal.addEventListener("abort", stop, { once: true });
  const [words, exitCode] = await Promise.all([
    new Response(child.stderr).text(),
    child.exited,
    eachLine(child.stdout, (line) => {
      const step = readStep(line);
      if (step !== null) onStep(step.percent, step.text);
    }),
  ]);
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  if (exitCode !== 0)
    throw new Error(words.trim().split("\n").slice(-3).join(" ").slice(-600) || `it ended with ${exitCode}`);
}

/** Ends a build of an earlier host process, or of this one. */
export function stopMarked(mark: string): void {
  for (const process of findByEnvironment(buildMark, mark)) signalProcess(process, "SIGKILL");
}

/** Lines of ours, and of apt's status descriptor: `dlstatus:<n>:<percent>:<text>`, `pmstatus:<package>:<percent>:<text>` (apt's README.progress-reporting). */
export function readStep(line: string): { percent: number; text: string } | null {
  const own = /^step:(\d+):(.+)$/.exec(line);
  if (own) return { percent: Number(own[1]), text: own[2] ?? "" };
  const apt = /^(dlstatus|pmstatus):([^:]*):([\d.]+):/.exec(line);
  if (!apt) return null;
  const [, kind, name = "", percent] = apt;
  const part = Number(percent) / 100;
  return kind === "dlstatus"
    ? { percent: Math.round(5 + part * 35), text: "fetching packages" }
    : { percent: Math.round(40 + part * 48), text: `installing ${name.replace(/^dpkg-exec$/, "packages")}` };
}

/** What is longer is cut: a builder may write without an end. */
const longestLine = 65_536;

export async function eachLine(stream: ReadableStream<Uint8Array>, hear: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let carry = "";
  for await (const part of stream) {
    const lines = (carry + decoder.decode(part, { stream: true })).split("\n");
    carry = (lines.pop() ?? "").slice(0, longestLine);
    for (const line of lines) hear(line);
  }
}

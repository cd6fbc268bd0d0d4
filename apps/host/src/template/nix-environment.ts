import type { Finding } from "@alcove/contract/api/account";
import type { TreeRecipe } from "@alcove/contract/host";
import { realpathSync } from "node:fs";
import { sharedFirstId } from "../boxes/id-range.ts";
import { findProgram, plainEnvironment } from "../kernel/command.ts";
import { enterTree, eachLine, stopMarked, type OnStep } from "./install-recipe.ts";
import type { BuildNetwork } from "./build-network.ts";
import type { Site } from "../site.ts";
import { buildMark, type Workshop } from "./workshop.ts";

type NixExpression = NonNullable<TreeRecipe["nix"]>;

/** Why no Nix expression can be built here, with the command that mends it; null otherwise. Only a Nix below /usr can be taken into the tree where it builds. */
export function whyNoNix(): string | null {
  const program = findProgram("nix-build");
  if (program !== null && realpathSync(program).startsWith("/usr/")) return null;
  return "Nix is not installed on the server from the distribution's packages: run `apt-get install nix-bin` there";
}

/** For `alcove doctor`; null where Nix can build. */
export function nixFinding(site: Site): Finding | null {
  const why = whyNoNix();
  if (why === null) return null;
  return {
    id: "nix",
    level: "missing",
    title: "Nix builds templates",
    detail: "There are templates of Nix expressions, but no Nix of the distribution's to build them with.",
    remedy: `${site.privileged ? "" : "sudo "}apt-get install -y nix-bin`,
  };
}

/** What is built: the programs of a shell are those of its inputs, as `nix-shell` has it (nixpkgs manual, mkShell). */
const expression = String.raw`{ file }:
let
  system = builtins.currentSystem;
  flake = builtins.getFlake "path:/nix/given";
  fromFlake = flake.devShells.${"${system}"}.default or flake.packages.${"${system}"}.default
    or (throw "flake.nix has neither devShells.${"${system}"}.default nor packages.${"${system}"}.default");
  read = import /nix/given/workspace.nix;
  given = if file == "flake.nix" then fromFlake else if builtins.isFunction read then read { } else read;
  isShell = one: one ? shellHook || (one.name or "") == "nix-shell";
  kinds = [ "nativeBuildInputs" "buildInputs" "propagatedNativeBuildInputs" "propagatedBuildInputs" ];
  inputs = one: builtins.filter builtins.isAttrs (builtins.concatMap (kind: one.${"${kind}"} or [ ]) kinds);
  programs = one: if isShell one then inputs one else [ one ];
in builtins.concatMap programs (if builtins.isList given then given else [ given ])
`;

/** In the tree as its root, which stays the first process; the expression is read and built by a user without rights, who has /nix alone. */
const buildInTree = `set -eu
umask 022
mkdir -p /nix/given /nix/home /nix/tmp
cat > "/nix/given/$file"
chown -R "$user:$user" /nix
setpriv --reuid "$user" --regid "$user" --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \\
  prlimit --nproc=4096 --core=0 choom -n 1000 -- sh -c "$build" < /dev/null
exit $?
`;

const buildAsUser = `set -eu
cd /nix/given
paths=$(nix-build --no-out-link --option sandbox false --option connect-timeout 10 --option download-attempts 2 --option max-jobs auto \\
  --extra-experimental-features "nix-command flakes" --argstr file "$file" --expr "$expression")
[ -n "$paths" ] || { echo "it names nothing to build" >&2; exit 1; }
nix-store --query --requisites $paths > /nix/closure
mkdir -p /nix/profile/bin
for path in $paths; do
  for program in "$path"/bin/*; do
    [ ! -e "$program" ] || [ -e "/nix/profile/bin/\${program##*/}" ] || ln -s "$program" /nix/profile/bin/
  done
done
[ -n "$(ls /nix/profile/bin)" ] || { echo "there is no program in bin of what it builds" >&2; exit 1; }
`;

/** Keeps of /nix what the programs need, with owners and names that a store has; all that the builder left running is gone by now. */
const finishInTree = `set -eu
cd /nix
for place in store profile profile/bin closure; do [ ! -L "$place" ] || exit 1; done
mkdir kept
grep -E -x '/nix/store/[0-9a-z]{32}-[0-9A-Za-z+._?=-]+' closure | while read -r path; do mv "store/\${path#/nix/store/}" kept/; done
find . -mindepth 1 -maxdepth 1 ! -name kept ! -name profile -exec rm -rf {} +
mv kept store
chown -hR 0:0 /nix
chmod 755 /nix /nix/store /nix/profile /nix/profile/bin
echo 'PATH="/nix/profile/bin:$PATH"' > /etc/profile.d/nix.sh
echo 'Defaults secure_path="/nix/profile/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"' > /etc/sudoers.d/nix
chmod 440 /etc/sudoers.d/nix
`;

/** Ids of builds on a host with root rights, outside of all ranges that systemd and user databases give away (systemd's UIDS-GIDS.md). */
const firstIdOnHost = 0x7fff_0000;
/** Not the id of the box's user, whose folders are in the tree. */
const builder = 30_000;

/** First of the ids that builds of expressions have. */
export function firstBuildId(site: Site): number {
  return site.privileged ? firstIdOnHost : sharedFirstId;
}

/**
 * Builds the expression in the workshop's tree with the host's Nix and leaves in the tree /nix/store with what its programs need, and /nix/profile. What runs of the
 * expression is a user without rights that sees the tree, the host's /usr and a network of its own. An abort ends all of it; an error has the last words of Nix.
 */
export async function buildNixEnvironment(options: {
  workshop: Workshop;
  network: BuildNetwork;
  site: Site;
  nix: NixExpression;
  mark: string;
  onStep: OnStep;
  signal: AbortSignal;
}): Promise<void> {
  const { workshop, network, site, nix, mark, onStep, signal } = options;
  const run = async (command: string[], input: string, env: Record<string, string>): Promise<void> => {
    signal.throwIfAborted();
    const child = Bun.spawn(command, {
      stdin: new Blob([input]),
      stdout: "ignore",
      stderr: "pipe",
      cwd: "/",
      env: { ...plainEnvironment, ...workshop.env, ...env, [buildMark]: mark },
    });
    const stop = (): void => stopMarked(mark);
    signal.addEventListener("abort", stop, { once: true });
    const last: string[] = [];
    await eachLine(child.stderr, (line) => {
      const words = line.trim().slice(0, 400);
      // What a cache does not have is built.
      if (words === "" || words.startsWith("warning: ")) return;
      if (/^(?:building|copying|downloading|fetching|unpacking) /.test(words)) return onStep(null, words.slice(0, 120));
      last.push(words);
      if (last.length > 12) last.shift();
    });
    const exitCode = await child.exited;
    signal.removeEventListener("abort", stop);
    signal.throwIfAborted();
    if (exitCode !== 0) throw new Error(last.join(" ").slice(-600) || `it ended with ${exitCode}`);
  };
  onStep(null, "reading the Nix expression");
  const build = [
    ...network.enter,
    ...workshop.enter,
    "unshare",
    "--ipc",
    "--",
    "sh",
    "-c",
    enterTree,
    "sh",
    workshop.tree,
    buildInTree,
  ];
  await run(build, nix.text, {
    hostPrograms: "/usr",
    user: String(site.privileged ? firstIdOnHost + builder : builder),
    USER: "user",
    HOME: "/nix/home",
    TMPDIR: "/nix/tmp",
    NIX_SSL_CERT_FILE: "/run/certificates.crt",
    NIX_REMOTE: "local",
    file: nix.file,
    build: buildAsUser,
    expression,
  });
  onStep(null, "keeping what its programs need");
  await run([...workshop.enter, "chroot", workshop.tree, "sh", "-c", finishInTree], "", {});
}

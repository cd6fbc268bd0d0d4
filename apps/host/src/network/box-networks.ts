import type { Network } from "@alcove/contract/api/network";
import type { WorkspaceId } from "@alcove/contract/ids";
import type { BoxNamespaces } from "../boxes/namespaces.ts";
import { closeSync, openSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { createThread } from "../kernel/thread.ts";
import { logLine } from "../log.ts";
import { deviceTraffic, readTraffic, writeTraffic, type Traffic } from "./box-traffic.ts";
import { hostAddresses } from "./closed-addresses.ts";
import { createDenials, type Denial } from "./denials.ts";
import { createKnownNames } from "./known-names.ts";
import { inBox, networkRules } from "./network-rules.ts";
import type { NetworkOperations } from "./network-thread.ts";
import { createProxy, type Proxy } from "./proxy.ts";
import { createResolver, type BoxPolicy } from "./resolver.ts";
import { serveResolver } from "./resolver-sockets.ts";
import { createUpstream } from "./upstream.ts";

/** How often boxes are looked after, in ms. A kill of the host process loses what traffic was counted in between. */
const careMs = 10_000;

export type BoxNetworks = ReturnType<typeof createBoxNetworks>;

type BoxNetwork = {
  workspace: WorkspaceId;
  epoch: number;
  /** Path of the network namespace, through any process in it. */
  namespace: string;
  network: Network;
  /** False where the box has no way out, whatever its network is. */
  egress: boolean;
  /** Where traffic is stored; the folder ends with the box. */
  trafficFile: string;
};

type Served = {
  workspace: WorkspaceId;
  epoch: number;
  box: BoxPolicy;
  /** Descriptor of the namespace. */
  namespace: number;
  resolver: Disposable | null;
  proxy: Proxy;
  proxyServer: Server | null;
  before: Traffic;
  stored: Traffic;
  trafficFile: string;
  /** The mode whose rules are in the namespace; null when that is not known, `no rules` in a new one. */
  ruled: Network["mode"] | "no rules" | null;
  /** Ends when the work on the box's rules and sockets that was begun is done. */
  work: Promise<unknown>;
  end: AbortController;
};

/**
 * The policy of each running box with a way out: rules in its network namespace, and this process's sockets there, the resolver and the proxy. The rules
 * hold by themselves while no host process runs; what needs the sockets waits for the next one.
 */
export function createBoxNetworks(report: (workspace: WorkspaceId, epoch: number, denial: Denial) => void) {
  const served = new Map<WorkspaceId, Served>();
  const thread = createThread<NetworkOperations>("network", "network-thread");
  const upstream = createUpstream();

  const total = ({ before, proxy }: Served): Traffic => {
    const passed = proxy.traffic();
    return { inBytes: before.inBytes + passed.inBytes, outBytes: before.outBytes + passed.outBytes };
  };
  const store = (one: Served): void => {
    const traffic = total(one);
    if (traffic.inBytes === one.stored.inBytes && traffic.outBytes === one.stored.outBytes) return;
    one.stored = traffic;
    writeTraffic(one.trafficFile, traffic);
  };

  /** Opens what the box's network needs and does not have yet. */
  const openSockets = async (one: Served): Promise<void> => {
    if (one.resolver === null) {
      const wishes = [
        { kind: "udp" as const, ...inBox.resolver },
        { kind: "tcp" as const, ...inBox.resolver },
      ];
      const [udp = -1, tcp = -1] = await thread.call("open", { namespace: one.namespace, sockets: wishes });
      one.resolver = serveResolver({ udp, tcp }, createResolver(one.box, upstream));
    }
    if (one.box.network.mode === "allow-list" && one.proxyServer === null) {
      const [descriptor] = await thread.call("open", {
        namespace: one.namespace,
        sockets: [{ kind: "tcp", ...inBox.proxy }],
      });
      const server = createServer({ allowHalfOpen: true }, one.proxy.accept);
      server.on("error", (error) => logLine("error", "a workspace's proxy failed", { error }));
      server.listen({ fd: descriptor });
      one.proxyServer = server;
    }
  };
  const setRules = async (one: Served): Promise<void> => {
    const { mode } = one.box.network;
    if (one.ruled === mode) return;
    const rules = networkRules(mode, hostAddresses(), one.ruled === "no rules" ? "none" : "some");
    one.ruled = null;
    await thread.call("rule", { namespace: one.namespace, rules });
    one.ruled = mode;
  };

  /** Makes sockets and rules what the box's network says at its turn, one turn after the other. The rules come even where a socket does not. */
  const putInPlace = (one: Served, socketsTried: () => void = () => undefined): Promise<void> => {
    const turn = one.work.then(async () => {
      if (one.end.signal.aborted) return socketsTried();
      try {
        // Before the rules lead connections to them.
        await openSockets(one);
      } finally {
        socketsTried();
        await setRules(one);
        one.proxy.reconsider();
      }
    });
    one.work = turn.catch(() => undefined);
    return turn;
  };
  const putInPlaceLater = (one: Served): void => {
    putInPlace(one).catch((error: unknown) =>
      logLine("error", "a workspace's network is not in place yet", { workspace: one.workspace, error }),
    );
  };

  const caring = setInterval(() => {
    for (const one of served.values()) {
      store(one);
      one.proxy.endQuiet();
      // Root in the box may have taken an address while no host process held it.
      const isWhole = one.resolver !== null && one.ruled === one.box.network.mode;
      if (!isWhole || (one.ruled === "allow-list" && one.proxyServer === null)) putInPlaceLater(one);
    }
  }, careMs);
  caring.unref();

  const release = (workspace: WorkspaceId): void => {
    const one = served.get(workspace);
    if (one === undefined) return;
    served.delete(workspace);
    one.end.abort();
    one.proxy.endAll();
    // What was begun still needs the descriptor, and may open sockets yet.
    void one.work.then(() => {
      one.resolver?.[Symbol.dispose]();
      one.proxyServer?.close();
      closeSync(one.namespace);
    });
  };

  const serve = (
    { workspace, epoch, namespace, network, trafficFile }: BoxNetwork,
    ruled: Served["ruled"] = null,
  ): Served => {
    release(workspace);
    const before = readTraffic(trafficFile);
    const deny = createDenials((denial) => report(one.workspace, one.epoch, denial));
    const end = new AbortController();
    const box: BoxPolicy = {
      network,
      known: createKnownNames(),
      deny: (host, port, canAllow) => deny({ host, port, canAllow }),
    };
    const one: Served = {
      workspace,
      epoch,
      box,
      namespace: openSync(namespace, "r"),
      resolver: null,
      proxy: createProxy(box, upstream),
      proxyServer: null,
      before,
      stored: before,
      trafficFile,
      ruled,
      work: Promise.resolve(),
      end,
    };
    served.set(workspace, one);
    return one;
  };

  const upLoopback = async (path: string): Promise<void> => {
    const namespace = openSync(path, "r");
    try {
      await thread.call("open", { namespace, sockets: [] });
    } finally {
      closeSync(namespace);
    }
  };

  return {
    /** Namespaces for a box that is about to start. Code: `namespaces_forbidden`. */
    async make(firstId: number): Promise<BoxNamespaces> {
      const namespaces = await thread.call("hold", firstId);
      // A thread that has ended holds them no more.
      const release = () => void thread.call("release", namespaces.pid).catch(() => undefined);
      return { ...namespaces, [Symbol.dispose]: release };
    },
    /**
     * Loopback, sockets and rules of a box that is about to start in the namespace, where nothing runs yet. `sockets`: from here the box may run, as long as there
     * is no way out. `rules`: all is in place, and a way out may be opened. Code: `internal`.
     */
    open(box: BoxNetwork): { sockets: Promise<void>; rules: Promise<void> } {
      if (!box.egress) {
        const up = upLoopback(box.namespace);
        return { sockets: up, rules: up };
      }
      const tried = Promise.withResolvers<void>();
      return { sockets: tried.promise, rules: putInPlace(serve(box, "no rules"), tried.resolve) };
    },
    /** Takes over a box that an earlier host process started, in the background: its rules hold, unless a crash came into their change. */
    adopt(box: BoxNetwork): void {
      if (!box.egress) return;
      try {
        putInPlaceLater(serve(box));
      } catch (error) {
        // Its namespace is gone: it ended just now.
        logLine("warn", "the network of a workspace was not taken over", { workspace: box.workspace, error });
      }
    },
    /** The network of a blank is another workspace's from now on, as it is. Nothing happens when it is not served. */
    rename(from: WorkspaceId, to: Pick<BoxNetwork, "workspace" | "epoch" | "trafficFile">): void {
      const one = served.get(from);
      if (one === undefined) return;
      release(to.workspace);
      served.delete(from);
      served.set(to.workspace, Object.assign(one, to));
    },
    /** What the box may reach from now on; connections that it may no longer have end. Nothing happens when it is not served. Code: `internal`. */
    async apply(workspace: WorkspaceId, network: Network): Promise<void> {
      const one = served.get(workspace);
      if (one === undefined) return;
      one.box.network = network;
      await putInPlace(one);
    },
    /** Bytes since the box started; `pid` is any process in its namespace. */
    usage(workspace: WorkspaceId, pid: number): { networkInBytes: number; networkOutBytes: number } {
      const device = deviceTraffic(pid);
      const one = served.get(workspace);
      const passed = one === undefined ? { inBytes: 0, outBytes: 0 } : total(one);
      return {
        networkInBytes: device.inBytes + passed.inBytes,
        networkOutBytes: device.outBytes + passed.outBytes,
      };
    },
    /** Closes what this process has in the box's namespace, which ends with its last process and socket. */
    release,
    async [Symbol.asyncDispose](): Promise<void> {
      clearInterval(caring);
      const ending = [...served.values()];
      for (const one of ending) {
        store(one);
        release(one.workspace);
      }
      await Promise.all(ending.map(({ work }) => work));
      await thread[Symbol.asyncDispose]();
    },
  };
}

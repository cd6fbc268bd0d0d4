import path from "node:path";
import { retry } from "@alcove/base/retry";
import type { Finding } from "@alcove/contract/api/account";
import type { CodedError } from "@alcove/contract/errors";
import { parseId, type RunId } from "@alcove/contract/ids";
import { eq, isNull } from "drizzle-orm";
import { hasEnded } from "@alcove/contract/api/run";
import { createAgentShelf } from "./agents/agent-shelf.ts";
import { agentDefinitions } from "./agents/agents.ts";
import { createAgentInstaller } from "./agents/install.ts";
import type { Config } from "./config/config.ts";
import { isDatabaseOutage } from "./database/outage.ts";
import { claimDatabase } from "./database/claim-database.ts";
import { openDatabase, underMigrationLock } from "./database/database.ts";
import { startLocalPostgres } from "./database/local-postgres/local-postgres.ts";
import { runs as runRows } from "./database/schema.ts";
import { createEventLog } from "./events/event-log.ts";
import { createLive } from "./events/live.ts";
import { noteChange } from "./events/notices.ts";
import { createWake, pause } from "./events/wake.ts";
import { createModelGateway } from "./gateway/model-gateway.ts";
import { createRunTokens } from "./gateway/run-token.ts";
import { createApi } from "./http/api.ts";
import { listen } from "./http/server.ts";
import { createStaticFiles } from "./http/static-files.ts";
import { createTerminalSockets } from "./http/terminal-socket.ts";
import { createAuth } from "./identity/auth.ts";
import { createIdentity } from "./identity/identity.ts";
import type { Log } from "./log/log.ts";
import { createProviders } from "./providers/providers.ts";
import { createApprovals } from "./runs/approvals.ts";
import { createRunCreation } from "./runs/create-run.ts";
import { createDriveAgent } from "./runs/drive-agent.ts";
import { createRunExecution } from "./runs/execute-run.ts";
import { joinReplicas } from "./runs/replicas.ts";
import { openRunQueue } from "./runs/run-queue.ts";
import { createRuns } from "./runs/runs.ts";
import { createRuntimes } from "./runtimes/runtimes.ts";
import { createSeal, secretFile } from "./secrets/seal.ts";
import { createHostClient } from "./host/host-client.ts";
import { createBuildContexts } from "./templates/build-contexts.ts";
import { createImageBuilds } from "./templates/image-builds.ts";
import { createTemplates } from "./templates/templates.ts";
import { createTemplateStore } from "./templates/template-store.ts";
import { createHostVolumes } from "./volumes/host-volumes.ts";
import { createArchiveImports } from "./workspaces/import-archive.ts";
import { createWorkspaceJobs } from "./workspaces/jobs.ts";
import { createPortWatch } from "./workspaces/ports.ts";
import { createSnapshots } from "./workspaces/snapshots.ts";
import { createBoxAccess } from "./workspaces/box-access.ts";
import { createBoxLife } from "./workspaces/box-life.ts";
import { followHappenings } from "./workspaces/follow-happenings.ts";
import { createHostPressure, roomFindings } from "./workspaces/host-pressure.ts";
import { letRest } from "./workspaces/rest.ts";
import { createUsageReader } from "./workspaces/usage.ts";
import { createWorkspaceEvents } from "./workspaces/workspace-events.ts";
import { createWorkspaceStore } from "./workspaces/workspace-store.ts";
import { createWorkspaces } from "./workspaces/workspaces.ts";

export interface ControlPlane extends AsyncDisposable {
  readonly address: string;
  readonly signInLink: string;
  /** Aborts when this replica lost its place to another and must end. */
  readonly lost: AbortSignal;
}

const reconcileEveryMs = 30_000;

/** Builds the whole process, from the database outwards. Disposing stops it in the opposite order; runs go on in their boxes. */
export async function composeControlPlane(config: Config, log: Log): Promise<ControlPlane> {
  await using stack = new AsyncDisposableStack();
  const stop = new AbortController();
  const stopping = stop.signal;

  const seal = createSeal(Buffer.from(await secretFile(config.secretsDirectory, "master.key"), "hex"));
  const localSecret = await secretFile(config.secretsDirectory, "cli.secret");
  const databaseUrl = config.databaseUrl ?? (await localDatabase());
  const database = stack.use(
    await openDatabase(databaseUrl, (error) => log.warn({ err: error }, "a connection to the database broke")),
  );
  const { db, pool } = database;
  await claimDatabase(pool, seal.derive("installation"));
  const wake = stack.use(createWake({ databaseUrl, pool, log }));
  const auth = await createAuth({
    databaseUrl,
    baseUrl: config.publicUrl ?? `http://${config.listenHost}:${config.listenPort}`,
    secret: seal.derive("sessions"),
    log,
    migrateUnderLock: (work) => underMigrationLock(pool, work),
  });
  stack.defer(() => auth.pool.end());
  const identity = createIdentity({ auth, localSecret });
  const owner = await identity.owner();

  const providers = createProviders({ db, seal, wake });
  await providers.adoptEnvironment(owner, config.environmentProviders);
  const shelf = createAgentShelf({
    definitions: agentDefinitions,
    installer: createAgentInstaller({
      directory: path.join(config.optDirectory, "agents"),
      node: config.nodeBinary,
      npmCli: config.npmCli,
    }),
    providers,
    onChange: (agent) => tellOwner("agent", agent),
    stopping,
    log,
  });

  const host = createHostClient({ hostSocket: config.hostSocket });
  const runtimes = createRuntimes({ hostSocket: config.hostSocket });
  const runtime = runtimes.embedded;
  const volumes = createHostVolumes({ hostSocket: config.hostSocket });
  const replica = stack.use(await joinReplicas({ databaseUrl, pool, wake, log }));
  const store = createWorkspaceStore({ db, wake, alone: replica.alone });
  const jobs = createWorkspaceJobs({ db, wake, replica: replica.id, log });
  const workspaceEvents = createWorkspaceEvents({ db, wake });
  const access = createBoxAccess(runtime);
  const contexts = createBuildContexts({ directory: path.join(config.dataDirectory, "contexts") });
  const templateStore = createTemplateStore({ db, wake });
  const onBuilt = templateStore.keepImage;
  const imageBuilds = createImageBuilds({ host, contexts, onBuilt, stopping, log });
  stack.defer(() => imageBuilds.drain());
  const templates = createTemplates({
    store: templateStore,
    host,
    contexts,
    builds: imageBuilds,
    usableRuntimes: (signal) => runtimes.usable(signal),
  });
  const pressure = createHostPressure({ load: (signal) => host.call("host.load", {}, signal), log });
  const life = createBoxLife({
    store,
    runtime,
    volumes,
    access,
    events: workspaceEvents,
    requireRoom: (signal) => pressure.requireRoom(signal),
    log,
  });
  const workspaces = createWorkspaces({
    store,
    jobs,
    runtime,
    requireRuntime: (name, signal) => runtimes.requireUsable(name, signal),
    volumes,
    templates,
    access,
    life,
    events: workspaceEvents,
    log,
  });
  stack.defer(() => workspaces.drain());
  const snapshots = createSnapshots({
    db,
    wake,
    store,
    workspaces,
    volumes,
    retention: config.retention,
    stopping,
    log,
  });
  const usage = createUsageReader({ runtime, volumes, log });
  const ports = createPortWatch({ workspaces, store, wake, log });
  stack.defer(() => ports.close());

  const live = createLive();
  const events = createEventLog({ db, wake });
  const runs = createRuns({ db, events, wake, workspaces });
  const approvals = createApprovals({ db, events, wake, workspaces });
  const tokens = createRunTokens(seal.derive("run tokens"));
  const modelFailures = new Map<RunId, CodedError>();
  const gateway = createModelGateway({
    tokens,
    findRun: (run) =>
      overOutages(async () => {
        const columns = { workspace: runRows.workspaceId, state: runRows.state };
        const [row] = await db.select(columns).from(runRows).where(eq(runRows.id, run));
        return row && { workspace: row.workspace, ended: hasEnded(row.state) };
      }),
    choose: (run, kinds) =>
      overOutages(async () => {
        const [row] = await db.select({ owner: runRows.ownerId }).from(runRows).where(eq(runRows.id, run));
        return row && providers.choose(row.owner, kinds);
      }),
    onUsage: (run, usage) => overOutages(() => runs.addUsage(run, usage)),
    onAnswer: (run, failure) => {
      if (failure) modelFailures.set(run, failure);
      else modelFailures.delete(run);
    },
    proxy: config.proxy,
    log,
  });
  stack.defer(() => gateway.close());
  const drive = createDriveAgent({
    db,
    events,
    live,
    workspaces,
    agents: shelf,
    providers,
    gateway,
    tokens,
    modelFailure: (run) => modelFailures.get(run),
    log,
  });
  const execute = createRunExecution({
    db,
    events,
    live,
    wake,
    workspaces,
    snapshots,
    agents: shelf,
    providers,
    drive,
    stopping,
    log,
  });
  const queue = stack.use(
    await openRunQueue({
      databaseUrl,
      replica: replica.id,
      log,
      execute: async (run) => {
        await execute(run);
        modelFailures.delete(parseId("run", run));
      },
    }),
  );
  const imports = createArchiveImports({ workspaces, store, replica: replica.id });
  replica.watchOthers(async (dead) => {
    await imports.takeOver(dead);
    await queue.takeOver(dead);
  });
  const createRun = createRunCreation({ database, queue, workspaces, store, agents: shelf, wake });

  let address = "";
  const api = createApi({
    identity,
    database,
    wake,
    version: config.version,
    address: () => config.publicUrl ?? address,
    dataDirectory: config.dataDirectory,
    hostFindings,
    stopping,
    runs,
    createRun,
    approvals,
    events,
    live,
    store,
    workspaces,
    snapshots,
    imports,
    templates,
    ports,
    usage,
    workspaceEvents,
    shelf,
    providers,
    log,
  });
  const server = stack.use(
    await listen(
      {
        api,
        identity,
        page: config.webDirectory === null ? null : createStaticFiles(config.webDirectory),
        onUpgrade: createTerminalSockets({ identity, workspaces, store, log, stopping }),
        checkHealth: async () => {
          await pool.query("select 1");
        },
        log,
      },
      config.listenHost,
      config.listenPort,
    ),
  );
  address = server.address;
  const reconciling = keepReconciling();
  stack.defer(() => reconciling);
  const resting = letRest({
    store,
    workspaces,
    access,
    runtime,
    pressure,
    defaults: config.rest,
    working: async () => {
      const rows = await db.selectDistinct({ id: runRows.workspaceId }).from(runRows).where(isNull(runRows.endedAt));
      return new Set(rows.map(({ id }) => id));
    },
    leads: () => replica.leads(),
    log,
    signal: stopping,
  });
  stack.defer(() => resting);
  const hearing = followHappenings({
    runtime,
    events: workspaceEvents,
    onDeath: async ({ workspace, epoch }) => workspaces.doubt(workspace, epoch, stopping),
    leads: () => replica.leads(),
    log,
    signal: stopping,
  });
  stack.defer(() => hearing);
  stack.defer(() => stop.abort());
  const owned = stack.move();

  return {
    address: config.publicUrl ?? address,
    signInLink: `${config.publicUrl ?? address}${await identity.ownerLink()}`,
    lost: replica.lost,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };

  async function localDatabase(): Promise<string> {
    const postgres = await startLocalPostgres({
      dataDirectory: path.join(config.dataDirectory, "postgres"),
      runDirectory: config.runDirectory,
      ...(config.postgresBinaries === null ? {} : { binaries: config.postgresBinaries }),
      log: (message, fields) => log.info(fields, message),
    });
    stack.use(postgres);
    await postgres.createDatabase("alcove");
    return postgres.url("alcove");
  }

  /** An agent at work waits for a database that restarts, instead of being told of it. */
  function overOutages<T>(work: () => Promise<T>): Promise<T> {
    return retry(work, { attempts: 12, firstMs: 50, longestMs: 3_000, worthIt: isDatabaseOutage }, stopping);
  }

  function tellOwner(resource: "agent", id: string): void {
    noteChange(db, { owner, resource, id, workspace: null })
      .then(() => wake.notify(`owner:${owner}`))
      .catch((error: unknown) => log.warn({ err: error }, "a change was not told"));
  }

  async function keepReconciling(): Promise<void> {
    while (!stopping.aborted) {
      await workspaces
        .reconcile(stopping)
        .then(() => snapshots.tidy(stopping))
        .then(() => templates.tidy(stopping))
        .catch((error: unknown) => log.warn({ err: error }, "workspaces were not looked after"));
      await pause(reconcileEveryMs, stopping);
    }
  }

  async function hostFindings(signal: AbortSignal) {
    const [boxes, containers, files, load, ofTemplates] = await Promise.all([
      runtimes.embedded.capabilities(signal),
      runtimes.docker.capabilities(signal),
      volumes.capabilities(signal),
      host.call("host.load", {}, signal),
      templates.findings(signal),
    ]);
    const findings: Finding[] = [
      ...boxes.findings,
      ...containers.findings,
      ...files.findings,
      ...ofTemplates,
      ...roomFindings(load, config.dataDirectory),
    ];
    return { findings, template: boxes.template, load };
  }
}

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, Outlet } from "@tanstack/react-router";
import { z } from "zod";
import { partSchema } from "./computer/parts.ts";
import { HomePage } from "./home/home-page.tsx";
import { WorkspacesPage } from "./home/workspaces-page.tsx";
import { Frame } from "./shell/frame.tsx";
import { useAppliedTheme } from "./shell/theme.ts";
import { SignInPage } from "./sign-in/sign-in-page.tsx";
import { Arch } from "./ui/arch.tsx";
import { buttonClass } from "./ui/button.tsx";
import { Empty } from "./ui/skeleton.tsx";
import { FailureAlert, failureOf } from "./ui/alert.tsx";

function Root() {
  useAppliedTheme();
  return <Outlet />;
}

function Lost() {
  return (
    <main className="h-full min-h-dvh" id="main">
      <Empty
        mark={<Arch state="asleep" />}
        title="There is nothing at this address"
        action={
          <Link to="/" className={buttonClass({})}>
            Home
          </Link>
        }
      >
        It may have been deleted, or the address is misspelt.
      </Empty>
    </main>
  );
}

function Broken({ error }: { error: unknown }) {
  return (
    <main className="p-4" id="main">
      <FailureAlert failure={failureOf(error)} title="This page has a fault" fresh>
        <a className={buttonClass({ size: "sm" })} href={location.href}>
          Load it again
        </a>
      </FailureAlert>
    </main>
  );
}

const rootRoute = createRootRoute({ component: Root, notFoundComponent: Lost, errorComponent: Broken });

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: z.object({ error: z.string().optional().catch(undefined) }),
  component: SignInPage,
});

const frameRoute = createRoute({ getParentRoute: () => rootRoute, id: "frame", component: Frame });
const homeRoute = createRoute({ getParentRoute: () => frameRoute, path: "/", component: HomePage });
const workspacesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/workspaces",
  component: WorkspacesPage,
});

const paneSchema = z.enum(["chat", "files", "terminal", "changes", "deliverables", "computer"]);

const workspaceRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/workspaces/$name",
  validateSearch: z.object({
    pane: paneSchema.optional().catch(undefined),
    /** The conversation; `new` for one that has not begun. */
    session: z.string().optional().catch(undefined),
    /** The run whose changes or deliverables are shown; the newest when left out. */
    run: z.string().optional().catch(undefined),
    /** What the Computer pane shows. */
    part: partSchema.optional().catch(undefined),
    /** The open file or deliverable. */
    path: z.string().optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import("./workspace/workspace-page.tsx"), "WorkspacePage"),
});

const settingsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/settings-frame.tsx"), "SettingsFrame"),
});
const settingsIndexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./settings/settings-index.tsx"), "SettingsIndex"),
});
const agentsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/agents",
  component: lazyRouteComponent(() => import("./settings/agents-page.tsx"), "AgentsPage"),
});
const templatesRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/templates",
  component: lazyRouteComponent(() => import("./settings/templates-page.tsx"), "TemplatesPage"),
});
const accountRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/account",
  component: lazyRouteComponent(() => import("./settings/account-page.tsx"), "AccountPage"),
});
const appearanceRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/appearance",
  component: lazyRouteComponent(() => import("./settings/appearance-page.tsx"), "AppearancePage"),
});
const healthRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/health",
  component: lazyRouteComponent(() => import("./settings/health-page.tsx"), "HealthPage"),
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  frameRoute.addChildren([
    homeRoute,
    workspacesRoute,
    workspaceRoute,
    settingsRoute.addChildren([
      settingsIndexRoute,
      agentsRoute,
      templatesRoute,
      accountRoute,
      appearanceRoute,
      healthRoute,
    ]),
  ]),
]);

export function createPageRouter() {
  return createRouter({ routeTree, defaultPreload: "intent", scrollRestoration: false });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createPageRouter>;
  }
}

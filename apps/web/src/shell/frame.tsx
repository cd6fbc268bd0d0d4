import { CodedError } from "@alcove/contract/errors";
import { useQuery } from "@tanstack/react-query";
import { Navigate, Outlet, useMatchRoute } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { queries } from "../live/queries.ts";
import { FailureAlert, failureOf } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Toaster } from "../ui/sonner.tsx";
import { Banners } from "./banners.tsx";
import { ShellProvider, useShell } from "./context.tsx";
import { HelpDialog } from "./help.tsx";
import { NoticesProvider } from "./notices-context.tsx";
import { useShortcut } from "./shortcuts.ts";
import { Rail, Sections, Sidebar } from "./sidebar.tsx";
import { useStored } from "./stored.ts";
import { TellElsewhere } from "./tell-elsewhere.tsx";

const Palette = lazy(() => import("./palette.tsx"));
const NewWorkspaceDialog = lazy(() => import("../new-workspace/new-workspace-dialog.tsx"));

/** Everything behind the door: who is not signed in is led there. */
export function Frame() {
  const me = useQuery(queries.me());
  if (me.error instanceof CodedError && me.error.code === "not_signed_in") return <Navigate to="/sign-in" />;
  if (me.isPending) return null;
  if (me.isError && !me.data) {
    return (
      <main className="grid h-dvh place-items-center p-4">
        <div className="w-full max-w-120">
          <FailureAlert failure={failureOf(me.error)} fresh>
            <Button size="sm" onClick={() => void me.refetch()}>
              Try again
            </Button>
          </FailureAlert>
        </div>
      </main>
    );
  }
  return (
    <NoticesProvider>
      <ShellProvider>
        <Shell />
      </ShellProvider>
    </NoticesProvider>
  );
}

function Shell() {
  const shell = useShell();
  const matchRoute = useMatchRoute();
  const inWorkspace = matchRoute({ to: "/workspaces/$name" }) !== false;
  const [side, setSide] = useStored(inWorkspace ? "side.workspace" : "side.home");
  const wide = side === null ? !inWorkspace : side === "wide";

  useShortcut("mod+k", () => shell.setPalette(true));
  useShortcut("mod+b", () => setSide(wide ? "rail" : "wide"));
  useShortcut("c", () => shell.newWorkspace());
  useShortcut("?", () => shell.setHelp(true));

  return (
    <div className={wide ? "app" : "app app--work"}>
      <a className="skip" href="#main">
        Skip to content
      </a>
      {wide ? <Sidebar /> : <Rail />}
      <div className="stage">
        <Banners />
        <Outlet />
      </div>
      {!inWorkspace && <Sections />}
      <Suspense>{shell.palette && <Palette />}</Suspense>
      <Suspense>{shell.creating && <NewWorkspaceDialog />}</Suspense>
      <HelpDialog />
      <TellElsewhere />
      <Toaster />
    </div>
  );
}

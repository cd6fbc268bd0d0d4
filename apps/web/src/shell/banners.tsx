import { Unplug } from "lucide-react";
import { formatDuration } from "../format/format.ts";
import { Arch } from "../ui/arch.tsx";
import { Button } from "../ui/button.tsx";
import { FailureAlert } from "../ui/alert.tsx";
import { useNow } from "./clock.ts";
import { useShell } from "./context.tsx";
import { useLine, useNotices } from "./notices-context.tsx";

/** One banner while the line is lost; everything below stays readable. */
function LostLine() {
  const line = useLine();
  const notices = useNotices();
  const now = useNow(500, line.state === "lost");
  if (line.state === "open") return null;
  const seconds = Math.max(0, Math.ceil((line.retryAt - now) / 1000));
  return (
    <div className="banner lost" role="status">
      <Unplug className="icon" />
      <span className="grow">
        Connection lost. <span className="num">{seconds > 0 ? `Trying again in ${seconds} s` : "Trying again"}</span>;
        agents go on without you.
      </span>
      <Button size="sm" onClick={() => notices?.retryNow()}>
        Now
      </Button>
    </div>
  );
}

/** The making of a workspace, and what to press when it failed. */
function Creation() {
  const { creation, creating, newWorkspace, dismissCreation } = useShell();
  const now = useNow(100, creation.state === "creating");
  // The dialog that asked for it tells what becomes of it.
  if (creation.state === "idle" || creating !== null) return null;
  if (creation.state === "failed") {
    return (
      <div className="lost">
        <FailureAlert failure={creation.failure} title="The workspace was not created" fresh>
          <Button size="sm" onClick={() => newWorkspace(creation.place, creation.wish)}>
            Try again
          </Button>
          <Button size="sm" variant="ghost" onClick={dismissCreation}>
            Close
          </Button>
        </FailureAlert>
      </div>
    );
  }
  return (
    <div className="banner lost" role="status">
      <Arch state="running" />
      <span className="grow">Making a workspace with its own files, network and terminal</span>
      <span className="quiet num" aria-hidden="true">
        {formatDuration(now - creation.since)}
      </span>
    </div>
  );
}

export function Banners() {
  return (
    <div className="banners">
      <LostLine />
      <Creation />
    </div>
  );
}

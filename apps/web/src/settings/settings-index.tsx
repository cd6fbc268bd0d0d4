import { Navigate } from "@tanstack/react-router";
import { useNarrow } from "../shell/media.ts";
import { usePageTitle } from "../shell/page-title.ts";
import { Button } from "../ui/button.tsx";
import { signOut } from "../sign-in/sign-in.ts";
import { SettingsLinks } from "./settings-links.tsx";

/** On a phone the list of settings; on a wide page, where the list stands beside, its first page. */
export function SettingsIndex() {
  usePageTitle("Settings");
  const narrow = useNarrow();
  if (!narrow) return <Navigate to="/settings/agents" replace />;
  return (
    <>
      <header className="settings__head">
        <h1>Settings</h1>
      </header>
      <nav className="settings__list" aria-label="Settings">
        <SettingsLinks />
      </nav>
      <div className="btns">
        <Button onClick={() => void signOut()}>Sign out</Button>
      </div>
    </>
  );
}

import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { ChevronLeft } from "lucide-react";
import { useNarrow } from "../shell/media.ts";
import { SettingsLinks } from "./settings-links.tsx";

/** The settings: a list at the side, one page of them. */
export function SettingsFrame() {
  const narrow = useNarrow();
  const { pathname } = useLocation();
  const inside = !/^\/settings\/?$/.test(pathname);
  return (
    <main className="settings" id="main">
      <nav className="settings__nav" aria-label="Settings">
        <SettingsLinks />
      </nav>
      <div className="settings__page" tabIndex={0} role="region" aria-label="Settings">
        {narrow && inside && (
          <Link className="settings__up" to="/settings">
            <ChevronLeft className="icon" /> Settings
          </Link>
        )}
        <Outlet />
      </div>
    </main>
  );
}

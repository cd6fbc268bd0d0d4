import { Link } from "@tanstack/react-router";
import { Cpu, HeartPulse, Layers, SunMoon, User } from "lucide-react";

/** The pages of the settings. */
export function SettingsLinks() {
  return (
    <>
      <h2>You</h2>
      <Link className="nav" to="/settings/account">
        <User className="icon" /> Account
      </Link>
      <Link className="nav" to="/settings/appearance">
        <SunMoon className="icon" /> Appearance
      </Link>
      <h2>This server</h2>
      <Link className="nav" to="/settings/agents">
        <Cpu className="icon" /> Agents and models
      </Link>
      <Link className="nav" to="/settings/templates">
        <Layers className="icon" /> Templates
      </Link>
      <Link className="nav" to="/settings/health">
        <HeartPulse className="icon" /> Health
      </Link>
    </>
  );
}

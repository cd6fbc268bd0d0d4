import { Monitor, Moon, Sun } from "lucide-react";
import { usePageTitle } from "../shell/page-title.ts";
import { useTheme, type Theme } from "../shell/theme.ts";

const themes: { value: Theme; label: string; note: string; icon: typeof Sun }[] = [
  { value: "system", label: "As the system", note: "Changes with this computer", icon: Monitor },
  { value: "light", label: "Light", note: "Ink on paper", icon: Sun },
  { value: "dark", label: "Dark", note: "For the evening", icon: Moon },
];

/** The theme of this browser. */
export function AppearancePage() {
  usePageTitle("Appearance");
  const [theme, setTheme] = useTheme();
  return (
    <>
      <header className="settings__head">
        <h1>Appearance</h1>
        <p className="soft">Kept in this browser. Size and motion follow your system.</p>
      </header>
      <fieldset className="section">
        <legend className="section__head">
          <b className="strong">Theme</b>
        </legend>
        <div className="group">
          {themes.map(({ value, label, note, icon: Icon }) => (
            <label className="start" key={value}>
              <Icon className="icon" />
              <span className="grow">
                <b className="strong">{label}</b>
                <span className="soft">{note}</span>
              </span>
              <input
                type="radio"
                name="theme"
                value={value}
                checked={theme === value}
                onChange={() => setTheme(value)}
              />
            </label>
          ))}
        </div>
      </fieldset>
    </>
  );
}

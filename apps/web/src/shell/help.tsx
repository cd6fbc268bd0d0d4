import { Dialog } from "../ui/dialog.tsx";
import { Kbd } from "../ui/kbd.tsx";
import { useShell } from "./context.tsx";
import { shortcuts } from "./shortcuts.ts";

/** All shortcuts. */
export function HelpDialog() {
  const { help, setHelp } = useShell();
  const groups = Object.groupBy(shortcuts, (shortcut) => shortcut.group);
  return (
    <Dialog open={help} onOpenChange={setHelp} title="Keyboard" className="dialog--wide">
      {Object.entries(groups).map(([group, items]) => (
        <section className="section" key={group} aria-label={group}>
          <div className="section__head">
            <h3 className="quiet">{group}</h3>
          </div>
          <ul className="keys-list">
            {items?.map((item) => (
              <li key={item.label}>
                {item.label}
                <span>
                  {item.keys.map((keys) => (
                    <Kbd key={keys} keys={keys} />
                  ))}
                </span>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Dialog>
  );
}

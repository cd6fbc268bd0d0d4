import { useEffect, useEffectEvent } from "react";

/** Every shortcut of the page, as `?` lists them. */
export const shortcuts = [
  { group: "Everywhere", keys: ["mod+k"], label: "Search and commands" },
  { group: "Everywhere", keys: ["c"], label: "New workspace" },
  { group: "Everywhere", keys: ["mod+b"], label: "Sidebar" },
  { group: "Everywhere", keys: ["?"], label: "All shortcuts" },
  { group: "Needs you", keys: ["j", "k"], label: "Move" },
  { group: "Needs you", keys: ["enter"], label: "Open" },
  { group: "Needs you", keys: ["a"], label: "Allow" },
  { group: "Needs you", keys: ["d"], label: "Deny" },
  { group: "Conversation", keys: ["mod+enter"], label: "Send, or allow" },
  { group: "Conversation", keys: ["mod+backspace"], label: "Deny" },
  { group: "Conversation", keys: ["escape"], label: "Stop, then leave" },
  { group: "Workspace", keys: ["mod+1", "mod+5"], label: "Files to Computer" },
  { group: "Workspace", keys: ["mod+j"], label: "Terminal" },
  { group: "Workspace", keys: ["mod+s"], label: "Save the file" },
  { group: "Workspace", keys: ["ctrl+shift+escape"], label: "Leave terminal or editor" },
] as const;

interface Binding {
  keys: string;
  /** False hands the key on to whoever else wants it. */
  run: (event: KeyboardEvent) => boolean | void;
}

const bindings: Binding[] = [];
let listening = false;

/** Runs while the component is shown; the newest binding of a key is asked first. Single letters act only outside of fields. */
export function useShortcut(keys: string, run: (event: KeyboardEvent) => boolean | void, enabled = true): void {
  const onPress = useEffectEvent(run);
  useEffect(() => {
    if (!enabled) return;
    const binding: Binding = { keys, run: (event) => onPress(event) };
    bindings.push(binding);
    listen();
    return () => void bindings.splice(bindings.indexOf(binding), 1);
  }, [keys, enabled]);
}

function listen() {
  if (listening) return;
  listening = true;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const pressed = keysOf(event);
    const single = !pressed.includes("+");
    if (
      single &&
      pressed !== "escape" &&
      (isField(event.target) || document.querySelector("[role=dialog], [role=alertdialog], [role=menu]"))
    )
      return;
    for (const binding of bindings.toReversed()) {
      if (binding.keys !== pressed || binding.run(event) === false) continue;
      event.preventDefault();
      return;
    }
  });
}

/** The pressed keys as the catalogue writes them: ⌘ and Ctrl are both `mod`. */
export function keysOf(event: Pick<KeyboardEvent, "key" | "metaKey" | "ctrlKey" | "shiftKey">): string {
  const key = event.key.toLowerCase();
  const shifted = event.shiftKey && key.length > 1;
  if (event.ctrlKey && shifted) return `ctrl+shift+${key}`;
  return [event.metaKey || event.ctrlKey ? "mod+" : "", shifted ? "shift+" : "", key].join("");
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input, textarea, select, .xterm, .cm-editor") !== null)
  );
}

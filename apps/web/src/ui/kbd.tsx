const apple = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Keys as they are printed on this computer: `mod` is ⌘ on a Mac and Ctrl elsewhere. */
export function keyNames(keys: string): string[] {
  return keys.split("+").map((key) => {
    switch (key) {
      case "mod":
        return apple ? "⌘" : "Ctrl";
      case "shift":
        return apple ? "⇧" : "Shift";
      case "ctrl":
        return apple ? "⌃" : "Ctrl";
      case "enter":
        return "↵";
      case "backspace":
        return "⌫";
      case "escape":
        return "Esc";
      default:
        return key.length === 1 ? key.toUpperCase() : key;
    }
  });
}

/** A shortcut, as in `<Kbd keys="mod+k" />`. */
export function Kbd({ keys }: { keys: string }) {
  const names = keyNames(keys);
  const text = apple ? names.join("") : names.join(" ");
  return <kbd className="kbd">{text}</kbd>;
}

import { useState } from "react";

const keys: { label: string; name: string; text: string }[] = [
  { label: "esc", name: "esc", text: "\u001b" },
  { label: "tab", name: "tab", text: "\t" },
];
const more: { label: string; name: string; text: string }[] = [
  { label: "|", name: "Pipe", text: "|" },
  { label: "/", name: "Slash", text: "/" },
  { label: "←", name: "Left", text: "\u001b[D" },
  { label: "↑", name: "Up", text: "\u001b[A" },
  { label: "↓", name: "Down", text: "\u001b[B" },
  { label: "→", name: "Right", text: "\u001b[C" },
];

/** Keys that a phone's keyboard lacks. `ctrl` holds for the next letter. */
export function PhoneKeys({ send, onCtrl }: { send: (text: string) => void; onCtrl: (on: boolean) => void }) {
  const [ctrl, setCtrl] = useState(false);
  const key = ({ label, name, text }: (typeof keys)[number]) => (
    <button
      key={name}
      type="button"
      aria-label={name}
      // The keyboard stays open only while the terminal keeps the focus.
      onPointerDown={(event) => event.preventDefault()}
      onClick={() => {
        setCtrl(false);
        onCtrl(false);
        send(text);
      }}
    >
      {label}
    </button>
  );
  return (
    <div className="keys" role="group" aria-label="Terminal keys">
      {keys.map(key)}
      <button
        type="button"
        aria-pressed={ctrl}
        onPointerDown={(event) => event.preventDefault()}
        onClick={() => {
          setCtrl(!ctrl);
          onCtrl(!ctrl);
        }}
      >
        ctrl
      </button>
      {more.map(key)}
    </div>
  );
}

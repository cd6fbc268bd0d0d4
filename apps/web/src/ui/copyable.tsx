import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./button.tsx";

/** A command to take elsewhere, with the button that copies it. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <div className="copyable">
      <code className="command grow" tabIndex={0}>
        {text}
      </code>
      <Button size="sm" aria-label={`Copy ${label}`} onClick={() => void copy()}>
        {copied ? <Check className="icon icon--s" /> : <Copy className="icon icon--s" />} {copied ? "Copied" : "Copy"}
      </Button>
    </div>
  );
}

import "@xterm/xterm/css/xterm.css";
import type { Terminal as TerminalInfo } from "@alcove/contract/api/workspace";
import type { TerminalLine } from "@alcove/sdk/terminal-line";
import { FitAddon } from "@xterm/addon-fit";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import { useEffect, useEffectEvent, useRef } from "react";
import { client } from "../live/client.ts";
import { readColours } from "./colours.ts";

export interface ScreenHandle {
  send: (text: string) => void;
  /** The next letter is sent with Ctrl held. */
  setCtrl: (on: boolean) => void;
}

interface ScreenProps {
  workspace: string;
  terminal: TerminalInfo;
  shown: boolean;
  onLine: (state: "open" | "lost") => void;
  onExit: () => void;
  handle: (handle: ScreenHandle) => void;
}

const encoder = new TextEncoder();

/** One terminal on the page: attached from its first byte, and again behind the last one when the line drops. */
export function Screen({ workspace, terminal, shown, onLine, onExit, handle }: ScreenProps) {
  const host = useRef<HTMLDivElement>(null);
  const parts = useRef<{ xterm: Terminal; fit: FitAddon; line: TerminalLine } | null>(null);
  const lineChanged = useEffectEvent(onLine);
  const exited = useEffectEvent(onExit);
  const ready = useEffectEvent(handle);
  const label = useEffectEvent(() => `Terminal ${terminal.title || terminal.name}`);

  useEffect(() => {
    if (!host.current) return;
    const xterm = new Terminal({
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--font-mono"),
      fontSize: 13,
      lineHeight: 1.35,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      cursorStyle: "block",
      scrollback: 10_000,
      theme: readColours(),
      screenReaderMode: false,
      allowProposedApi: false,
      macOptionIsMeta: true,
    });
    const fit = new FitAddon();
    xterm.loadAddon(fit);
    xterm.loadAddon(new WebLinksAddon());
    xterm.open(host.current);
    xterm.textarea?.setAttribute("aria-label", label());

    let ctrl = false;
    const line = client.terminals.attach(workspace, terminal.id, {
      size: { cols: xterm.cols, rows: xterm.rows },
      onOutput: (bytes) => xterm.write(bytes),
      onReset: () => xterm.reset(),
      onExit: (exitCode) => {
        xterm.write(`\r\n\u001b[2m[ended${exitCode ? ` with ${exitCode}` : ""}]\u001b[0m\r\n`);
        exited();
      },
      onLine: (state) => lineChanged(state),
    });
    const send = (text: string) => {
      const held = ctrl && text.length === 1;
      ctrl = false;
      line.send(encoder.encode(held ? String.fromCharCode(text.toUpperCase().charCodeAt(0) & 31) : text));
    };
    ready({ send, setCtrl: (on) => (ctrl = on) });
    xterm.onData(send);
    xterm.onBinary((text) => line.send(Uint8Array.from(text, (char) => char.charCodeAt(0) & 255)));
    xterm.onResize((size) => line.resize(size));
    xterm.attachCustomKeyEventHandler((event) => {
      if (event.ctrlKey && event.shiftKey && event.key === "Escape") {
        if (event.type === "keydown") document.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus();
        return false;
      }
      // These belong to the page, also while the terminal has the focus.
      return !((event.metaKey || event.ctrlKey) && !event.shiftKey && /^[kbj1-5]$/.test(event.key) && event.metaKey);
    });
    parts.current = { xterm, fit, line };

    const themed = new MutationObserver(() => (xterm.options.theme = readColours()));
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const sized = new ResizeObserver(() => host.current?.offsetParent && fit.fit());
    sized.observe(host.current);
    return () => {
      themed.disconnect();
      sized.disconnect();
      line.close();
      xterm.dispose();
      parts.current = null;
    };
  }, [workspace, terminal.id]);

  useEffect(() => {
    if (!shown) return;
    parts.current?.fit.fit();
    parts.current?.xterm.focus();
  }, [shown]);

  return <div className="terminal" ref={host} hidden={!shown} />;
}

import { FileDiff, FileText, Folder, Server, SquareTerminal } from "lucide-react";

export type Pane = "files" | "terminal" | "changes" | "deliverables" | "computer";

export const panes: { id: Pane; label: string; icon: typeof Folder; shortcut: string }[] = [
  { id: "files", label: "Files", icon: Folder, shortcut: "mod+1" },
  { id: "terminal", label: "Terminal", icon: SquareTerminal, shortcut: "mod+2" },
  { id: "changes", label: "Changes", icon: FileDiff, shortcut: "mod+3" },
  { id: "deliverables", label: "Deliverables", icon: FileText, shortcut: "mod+4" },
  { id: "computer", label: "Computer", icon: Server, shortcut: "mod+5" },
];

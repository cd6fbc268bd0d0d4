import type { Network } from "@alcove/contract/api/network";
import { Globe, ListChecks, Unplug } from "lucide-react";

/** The three modes of a workspace's network, each in one sentence. */
export const networkModes: { mode: Network["mode"]; label: string; note: string; icon: typeof Globe }[] = [
  { mode: "open", label: "Open", note: "Everything that is public on the internet", icon: Globe },
  {
    mode: "allow-list",
    label: "Allow-list",
    note: "Only the names below; what is refused is listed here",
    icon: ListChecks,
  },
  { mode: "none", label: "None", note: "Nothing at all; files, terminal and agents still work", icon: Unplug },
];

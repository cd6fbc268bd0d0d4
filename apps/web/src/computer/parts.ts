import { z } from "zod";

/** What the Computer pane shows, one at a time. */
export const partSchema = z.enum(["overview", "network", "snapshots", "activity", "log"]);
export type ComputerPart = z.infer<typeof partSchema>;

export const computerParts: { part: ComputerPart; label: string }[] = [
  { part: "overview", label: "Overview" },
  { part: "network", label: "Network" },
  { part: "snapshots", label: "Snapshots" },
  { part: "activity", label: "Activity" },
  { part: "log", label: "Log" },
];

import { z } from "zod";
import { portSchema } from "../api/workspace.ts";

/** Body of `GET /v1/ports`: what listens in the box on loopback or on every address, the daemon's own port left out. */
export const boxPortsSchema = z.array(portSchema);
export type BoxPort = z.infer<typeof portSchema>;

/** A line of `GET /v1/watch`: first the ports as they are, again whenever they change, and a sign of life every 15 s. */
export const watchLineSchema = z.union([z.object({ ports: boxPortsSchema }), z.object({ ping: z.literal(true) })]);
export type WatchLine = z.infer<typeof watchLineSchema>;

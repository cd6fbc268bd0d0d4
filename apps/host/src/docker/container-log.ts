import type Docker from "dockerode";
import { statusOf } from "./engine.ts";

const frameHeader = 8;
const longestLines = 20_000;

/** The end of what the container has written, at most so many bytes; empty when there is no such container. */
export async function containerLog(container: Docker.Container, maxBytes: number): Promise<string> {
  try {
    const frames = await container.logs({ stdout: true, stderr: true, tail: longestLines });
    return textOf(frames).slice(-maxBytes);
  } catch (error) {
    if (statusOf(error) === 404) return "";
    throw error;
  }
}

/** Both outputs in their order, of frames with a header of the output's number and the length (Docker Engine API, attach). */
function textOf(frames: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + frameHeader <= frames.length;) {
    const length = frames.readUInt32BE(at + 4);
    parts.push(frames.subarray(at + frameHeader, at + frameHeader + length));
    at += frameHeader + length;
  }
  return Buffer.concat(parts).toString("utf8");
}

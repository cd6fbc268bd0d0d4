import type { Socket } from "node:net";

/** Joins two sockets both ways with backpressure; an end is passed on, an error or close of one closes the other. */
export function splice(a: Socket, b: Socket): void {
  const close = () => {
    a.destroy();
    b.destroy();
  };
  a.on("error", close);
  b.on("error", close);
  a.on("close", () => closeSoftly(b));
  b.on("close", () => closeSoftly(a));
  a.pipe(b);
  b.pipe(a);
}

/** What was already written to the socket still goes out. */
function closeSoftly(socket: Socket): void {
  if (socket.destroyed) return;
  socket.end(() => socket.destroy());
}

import type { Connection } from "./connection.ts";

/** Joins two connections both ways with backpressure; an end is passed on, and a close or break of one closes the other. */
export function splice(a: Connection, b: Connection): void {
  follow(a, b);
  follow(b, a);
}

function follow(from: Connection, to: Connection): void {
  to.onDrain(() => from.resume());
  from.receive({
    bytes(chunk) {
      if (!to.write(chunk)) from.pause();
    },
    end: () => to.end(),
  });
  from.onClose((error) => {
    // What was already written to it still goes out, unless it is half of something that broke.
    if (error === undefined) to.close();
    else to.destroy();
  });
}

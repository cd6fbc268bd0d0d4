import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { takeMessages, withLength } from "./dns-message.ts";
import type { Resolver } from "./resolver.ts";

/** A box's connections to its resolver at a time, and how long one may be silent, in ms. */
const mostConnections = 32;
const silenceMs = 10_000;
/** Questions on one connection; whoever has more makes another. */
const mostQuestions = 100;
/** A question is far smaller. */
const longestQuestion = 4_096;

/** Serves the resolver on sockets that are bound already; both descriptors belong to it from here and are closed with it. */
export function serveResolver(descriptors: { udp: number; tcp: number }, resolver: Resolver): Disposable {
  const datagrams = createSocket("udp4");
  datagrams.on("error", () => undefined);
  datagrams.on("message", (wire, { address, port }) => {
    if (wire.length > longestQuestion) return;
    void resolver.answer(wire, false).then((answer) => {
      if (answer !== null) sendTo(address, port, answer);
    });
  });
  let isOpen = true;
  const sendTo = (address: string, port: number, answer: Buffer): void => {
    // Whoever asked may be gone: that is nobody's failure.
    if (isOpen) datagrams.send(answer, port, address, () => undefined);
  };
  datagrams.bind({ fd: descriptors.udp });

  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    if (connections.size >= mostConnections) return void socket.resetAndDestroy();
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.setTimeout(silenceMs, () => socket.destroy());
    let received: Buffer = Buffer.alloc(0);
    let questions = 0;
    socket.on("data", (chunk) => {
      const { messages, rest } = takeMessages(Buffer.concat([received, chunk]));
      received = Buffer.from(rest);
      questions += messages.length;
      if (received.length > longestQuestion || questions > mostQuestions) return void socket.destroy();
      for (const message of messages)
        void resolver.answer(message, true).then((answer) => {
          if (answer === null || !socket.writable) return void socket.destroy();
          socket.write(withLength(answer));
          // Whoever asks and never reads gets no more.
          if (socket.writableLength > 1_000_000) socket.destroy();
        });
    });
  });
  server.on("error", () => undefined);
  server.listen({ fd: descriptors.tcp });

  return {
    [Symbol.dispose]() {
      isOpen = false;
      datagrams.close();
      server.close();
      for (const socket of connections) socket.destroy();
    },
  };
}

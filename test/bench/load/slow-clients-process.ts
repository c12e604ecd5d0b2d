// The process of the slow clients. Arguments: the proxy's port, how many. A third each drips its head a byte at a time,
// stalls in the middle of its body, and asks for large answers that it never reads. Whoever is closed comes back, until
// any message says otherwise. Says `open` when all are at it.
import { connect, type Socket } from 'node:net';

const port = Number(process.argv[2]);
const count = Number(process.argv[3]);
/** Between two bytes of a head; a head takes longer than it may. */
const DRIP_MS = 500;
/** Before a client that was closed comes back. */
const RETURN_MS = 1_000;
/** Whoever does not read does not hear that it was closed either: it comes back by itself after this. */
const DEAF_MS = 11_000;
/** Connections that are begun at a time, and how often. */
const BATCH = 50;
const BATCH_MS = 50;

const HEAD = `GET /small HTTP/1.1\r\nHost: bench.test\r\nX-Slow: ${'x'.repeat(1_000)}`;
const HALF_A_POST = `POST /post HTTP/1.1\r\nHost: bench.test\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(16_384)}`;
const MANY_LARGE = 'GET /large HTTP/1.1\r\nHost: bench.test\r\n\r\n'.repeat(16);

const dripping = new Map<Socket, number>();
let open = 0;
let isStayingAway = false;
let hasSaidOpen = false;

function begin(kind: number): void {
  if (isStayingAway) return;
  // Reads nothing on its own account, so that what it does not want stays where it is.
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('connect', () => {
    open += 1;
    if (open === count && !hasSaidOpen) {
      hasSaidOpen = true;
      process.send?.('open');
    }
    if (kind === 0) dripping.set(socket, 0);
    else if (kind === 1) socket.write(HALF_A_POST);
    else socket.write(MANY_LARGE);
    // Only those that get no answer hear of the end by reading on.
    if (kind === 2) socket.pause();
    else socket.resume();
    if (kind !== 2) return;
    setTimeout(() => {
      if (!isStayingAway) socket.destroy();
    }, DEAF_MS);
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    open -= 1;
    dripping.delete(socket);
    if (!isStayingAway) setTimeout(begin, RETURN_MS, kind);
  });
}

setInterval(() => {
  for (const [socket, sent] of dripping) {
    socket.write(HEAD[sent % HEAD.length]!);
    dripping.set(socket, sent + 1);
  }
}, DRIP_MS);

let begun = 0;
const starting = setInterval(() => {
  for (let i = 0; i < BATCH && begun < count; i += 1, begun += 1) begin(begun % 3);
  if (begun === count) clearInterval(starting);
}, BATCH_MS);

process.on('message', () => {
  isStayingAway = true;
});
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));

// The process of the idle connections. Arguments: the proxy's port, how many. Says `open` when all have had an answer,
// or what went wrong.
import { connect } from 'node:net';

const port = Number(process.argv[2]);
const count = Number(process.argv[3]);
/** Connections that are being opened at a time; a listener's queue is not endless. */
const OPENING = 128;
const REQUEST = 'GET /small HTTP/1.1\r\nHost: bench.test\r\n\r\n';

let begun = 0;
let open = 0;

function openNext(): void {
  if (begun === count) return;
  begun += 1;
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('connect', () => socket.write(REQUEST));
  socket.once('data', (chunk: Buffer) => {
    if (chunk.toString('latin1', 9, 12) !== '200') fail(chunk.toString('latin1', 0, 40));
    open += 1;
    if (open === count) process.send?.('open');
    else openNext();
  });
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail('the proxy closed a connection'));
}

function fail(reason: string): void {
  process.send?.(`${reason}, with ${open} open`, () => process.exit(1));
}

process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
for (let i = 0; i < Math.min(OPENING, count); i += 1) openNext();

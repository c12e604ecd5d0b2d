// A member as a process of its own: `node member-main.ts ADDRESS PORT NAME`. Answers with its name, or with the Host that
// it was asked for if the header X-Show says so; tells where it listens over the channel to its parent, and at SIGTERM
// ends as applications should: no new connections, requests under way finish.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [address = '', port = '', name = ''] = process.argv.slice(2);
/** Milliseconds that an answer takes, so that some request is under way at any time. */
const ANSWER_MS = 3;
let isEnding = false;

const server = createServer((request, response) => {
  if (request.headers.cookie === undefined) response.setHeader('set-cookie', `SESSION=of-${name}; Path=/`);
  if (isEnding) response.setHeader('connection', 'close');
  const answer = request.headers['x-show'] === 'host' ? request.headers.host : name;
  setTimeout(() => response.end(answer), ANSWER_MS);
});
// A balancer's kept connection ends when the balancer says so, not in the middle of a test.
server.keepAliveTimeout = 600_000;
server.listen(Number(port), address, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('SIGTERM', () => {
  isEnding = true;
  server.close();
});
process.on('disconnect', () => process.exit());
process.channel?.unref();

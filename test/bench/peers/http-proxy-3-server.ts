// Bare http-proxy-3 behind node:http, as its documentation shows it, with keep-alive to members and round robin.
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import type { NodePeerSettings } from './node-peers.ts';

const settings = JSON.parse(process.argv[2]!) as NodePeerSettings;
const { members, port, idleTimeoutMs } = settings;
const agent = new Agent({ keepAlive: true, maxFreeSockets: 256, timeout: idleTimeoutMs });
const targets = members.map(({ host, port: memberPort }) => `http://${host}:${memberPort}`);
const proxy = createProxyServer({ agent, proxyTimeout: idleTimeoutMs });
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response && !response.headersSent) response.writeHead(502);
  response.end();
});

let next = 0;
const server = createServer((request, response) => {
  next = (next + 1) % targets.length;
  proxy.web(request, response, { target: targets[next]! });
});
server.keepAliveTimeout = idleTimeoutMs;
server.listen({ host: '127.0.0.1', port, backlog: 4096 });

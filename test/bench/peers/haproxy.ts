// HAProxy: one thread, round robin, session cookie looked at, forwarding headers as the product sends them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, startProcess } from '../processes.ts';
import { type Peer, type PeerSetup, SESSION_COOKIE, TIMEOUTS_S } from './peer.ts';

export const haproxy: Peer = {
  name: 'haproxy',
  title: 'HAProxy',
  find: async () => {
    const version = await run('haproxy', ['-v']).catch(() => null);
    if (version === null) return { missing: 'haproxy is not installed' };
    return { version: /version ([\d.]+)/.exec(version)?.[1] ?? '' };
  },
  start: async (setup) => {
    const file = join(setup.folder, 'haproxy.cfg');
    writeFileSync(file, configure(setup));
    const logFile = join(setup.folder, 'output.log');
    return startProcess('haproxy', ['-db', '-f', file], { place: setup.place, logFile });
  },
};

function configure({ port, members, lanes }: PeerSetup): string {
  const servers = members.map(({ host, port: memberPort }, index) => {
    return `  server m${index} ${host}:${memberPort} cookie m${index}`;
  });
  return `global
  nbthread ${lanes}
  maxconn 14000
  no strict-limits
defaults
  mode http
  option http-keep-alive
  option forwardfor
  http-reuse always
  timeout connect ${TIMEOUTS_S.connect}s
  timeout client ${TIMEOUTS_S.idle}s
  timeout server ${TIMEOUTS_S.idle}s
  timeout http-request ${TIMEOUTS_S.idle}s
  timeout http-keep-alive ${TIMEOUTS_S.idle}s
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request set-header X-Forwarded-Proto http
  default_backend members
backend members
  balance roundrobin
  cookie ${SESSION_COOKIE} prefix
${servers.join('\n')}
`;
}

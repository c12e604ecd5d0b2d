// Caddy: one processor for its runtime, round robin; it sends forwarding headers by itself.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, startProcess } from '../processes.ts';
import { type Peer, type PeerSetup, TIMEOUTS_S } from './peer.ts';

export const caddy: Peer = {
  name: 'caddy',
  title: 'Caddy',
  find: async () => {
    const version = await run('caddy', ['version']).catch(() => null);
    return version === null
      ? { missing: 'caddy is not installed' }
      : { version: version.trim().split(' ', 1)[0] ?? '' };
  },
  start: async (setup) => {
    const file = join(setup.folder, 'Caddyfile');
    writeFileSync(file, configure(setup));
    return startProcess('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
      place: setup.place,
      logFile: join(setup.folder, 'output.log'),
      env: {
        GOMAXPROCS: String(setup.lanes),
        HOME: setup.folder,
        XDG_CONFIG_HOME: setup.folder,
        XDG_DATA_HOME: setup.folder,
      },
    });
  },
};

function configure({ port, members }: PeerSetup): string {
  const upstreams = members.map(({ host, port: memberPort }) => `${host}:${memberPort}`);
  return `{
  admin off
  auto_https off
  log {
    level ERROR
  }
  servers {
    timeouts {
      read_header ${TIMEOUTS_S.idle}s
      read_body ${TIMEOUTS_S.idle}s
      idle ${TIMEOUTS_S.idle}s
    }
  }
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${upstreams.join(' ')} {
    lb_policy round_robin
    transport http {
      dial_timeout ${TIMEOUTS_S.connect}s
      response_header_timeout ${TIMEOUTS_S.idle}s
      read_timeout ${TIMEOUTS_S.idle}s
      write_timeout ${TIMEOUTS_S.idle}s
      keepalive ${TIMEOUTS_S.idle}s
      keepalive_idle_conns_per_host 256
    }
  }
}
`;
}

// Apache httpd: mpm_event with one child, mod_proxy_balancer with byrequests and a session cookie, as the product's
// users ran it before.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, startProcess } from '../processes.ts';
import { type Peer, type PeerSetup, SESSION_COOKIE, TIMEOUTS_S } from './peer.ts';

const MODULES_FOLDER = '/usr/lib/apache2/modules';
const MODULES = [
  'mpm_event',
  'authz_core',
  'slotmem_shm',
  'proxy',
  'proxy_http',
  'proxy_balancer',
  'lbmethod_byrequests',
];

export const httpd: Peer = {
  name: 'httpd',
  title: 'httpd',
  find: async () => {
    const version = await run('apache2', ['-v']).catch(() => null);
    if (version === null || !existsSync(MODULES_FOLDER)) return { missing: 'apache2 is not installed' };
    return { version: /Apache\/([\d.]+)/.exec(version)?.[1] ?? '' };
  },
  start: async (setup) => {
    const file = join(setup.folder, 'httpd.conf');
    writeFileSync(file, configure(setup));
    const logFile = join(setup.folder, 'output.log');
    return startProcess('apache2', ['-d', setup.folder, '-f', file, '-DFOREGROUND'], { place: setup.place, logFile });
  },
};

function configure({ port, members, folder, lanes }: PeerSetup): string {
  const loads = MODULES.map((name) => `LoadModule ${name}_module ${MODULES_FOLDER}/mod_${name}.so`);
  const balancerMembers = members.map(({ host, port: memberPort }, index) => {
    return `  BalancerMember http://${host}:${memberPort} route=m${index} connectiontimeout=${TIMEOUTS_S.connect} timeout=${TIMEOUTS_S.idle}`;
  });
  return `${loads.join('\n')}
ServerName bench.test
Listen 127.0.0.1:${port}
ListenBacklog 4096
PidFile ${folder}/httpd.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
LogLevel crit
StartServers ${lanes}
ServerLimit ${lanes}
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers ${128 * lanes}
MinSpareThreads ${128 * lanes}
MaxSpareThreads ${128 * lanes}
AsyncRequestWorkerFactor 128
MaxConnectionsPerChild 0
KeepAlive On
KeepAliveTimeout ${TIMEOUTS_S.idle}
MaxKeepAliveRequests 0
Timeout ${TIMEOUTS_S.idle}
<Proxy balancer://members>
${balancerMembers.join('\n')}
  ProxySet lbmethod=byrequests stickysession=${SESSION_COOKIE}
</Proxy>
ProxyPass / balancer://members/
`;
}

// nginx: one worker process, round robin, forwarding headers as the product sends them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, startProcess } from '../processes.ts';
import { type Peer, type PeerSetup, TIMEOUTS_S } from './peer.ts';

export const nginx: Peer = {
  name: 'nginx',
  title: 'nginx',
  find: async () => {
    const version = await run('nginx', ['-v']).catch(() => null);
    return version === null ? { missing: 'nginx is not installed' } : { version: /[\d.]+/.exec(version)?.[0] ?? '' };
  },
  start: async (setup) => {
    const file = join(setup.folder, 'nginx.conf');
    writeFileSync(file, configure(setup));
    const args = ['-c', file, '-p', setup.folder, '-e', join(setup.folder, 'error.log')];
    return startProcess('nginx', args, { place: setup.place, logFile: join(setup.folder, 'output.log') });
  },
};

function configure({ port, members, folder, lanes }: PeerSetup): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `daemon off;
${user}
worker_processes ${lanes};
worker_rlimit_nofile 65536;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
events { worker_connections 32768; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_timeout ${TIMEOUTS_S.idle}s;
  keepalive_requests 100000000;
  client_header_timeout ${TIMEOUTS_S.idle}s;
  client_body_timeout ${TIMEOUTS_S.idle}s;
  send_timeout ${TIMEOUTS_S.idle}s;
  client_body_buffer_size 64k;
  tcp_nodelay on;
  upstream members {
${members.map(({ host, port: memberPort }) => `    server ${host}:${memberPort};`).join('\n')}
    keepalive ${Math.max(256, members.length * 2)};
    keepalive_requests 100000000;
    keepalive_timeout ${TIMEOUTS_S.idle}s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://members;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_connect_timeout ${TIMEOUTS_S.connect}s;
      proxy_read_timeout ${TIMEOUTS_S.idle}s;
      proxy_send_timeout ${TIMEOUTS_S.idle}s;
      proxy_max_temp_file_size 0;
    }
  }
}
`;
}

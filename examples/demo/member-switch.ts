// Lets members be killed and revived by HTTP, past the balancer: POST /b/kill, POST /b/revive; GET / lists them.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Member } from './member.ts';

/** Resolves with the port; port 0: any free one. Rejects with the system's error. */
export async function startMemberSwitch(
  members: readonly Member[],
  port: number,
  onFault: (error: Error) => void,
): Promise<number> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    act(members, request).then(
      ({ status, text }) => response.writeHead(status).end(`${text}\n`),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    );
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host: '127.0.0.1', port }, resolve);
  await promise;
  server.on('error', onFault);
  return (server.address() as AddressInfo).port;
}

interface Outcome {
  readonly status: number;
  readonly text: string;
}

async function act(members: readonly Member[], { method, url }: IncomingMessage): Promise<Outcome> {
  const [, name = '', action = ''] = (url ?? '').split('/');
  if (name === '') return { status: 200, text: members.map(describe).join('\n') };
  const member = members.find((each) => each.name === name);
  if (member === undefined || (action !== 'kill' && action !== 'revive')) {
    return { status: 404, text: 'POST /MEMBER/kill or /MEMBER/revive; GET / lists the members' };
  }
  // A GET must change nothing: browsers and balancers repeat it as they see fit.
  if (method !== 'POST') return { status: 405, text: 'only POST: curl -X POST …' };
  if (action === 'kill') member.kill();
  else await member.listen(member.port);
  return { status: 200, text: describe(member) };
}

function describe({ name, port, isUp }: Member): string {
  return `member ${name} on port ${port} is ${isUp ? 'up' : 'dead'}`;
}

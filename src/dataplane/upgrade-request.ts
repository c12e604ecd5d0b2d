// Asks a member for a WebSocket. The only user of http-proxy-3, whose ws() asks and pipes; around the asking there are
// guards:
// - it parses the path anew (/a/../b becomes /b) and drops an empty query: the raw target is put back;
// - it hands all headers on as an object: they are made from the head that a plain request would have.
import { Agent, type ClientRequest, type ClientRequestArgs, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ProxyServer } from 'http-proxy-3';
import type { ClientExchange } from './client-exchange.ts';
import type { LaneServices } from './lane-services.ts';
import type { ServedMember } from './routing-table.ts';
import type { TunnelSocket } from './tunnel-socket.ts';
import { upgradeHeaders } from './upgrade-messages.ts';

/** A request under way, to whose answers nobody listens yet. */
interface AskedUpgrade {
  readonly request: ClientRequest;
  /** Connects both sides after a 101. `head`: what came behind it already. */
  readonly pipe: (response: IncomingMessage, socket: Socket, head: Buffer) => void;
}

const proxy = new ProxyServer({});
// Without a listener it throws; each attempt hears of its own errors by its callback.
proxy.on('error', () => {});
/** One for each lane, which it ends with. */
const agents = new WeakMap<LaneServices, Agent>();

export function askForUpgrade(
  services: LaneServices,
  exchange: ClientExchange,
  { address, replacesHost }: ServedMember,
  standIn: TunnelSocket,
  onError: (error: Error) => void,
): AskedUpgrade {
  const { host, port, authority } = address;
  const { head, requestEdits, connection } = exchange;
  const incoming = {
    method: 'GET',
    // Only what ws() reads; the raw target is put back below.
    url: '/',
    httpVersion: '1.1',
    httpVersionMajor: 1,
    headers: upgradeHeaders(connection.forwarding.write(head, authority, requestEdits, replacesHost).toString()),
  } as unknown as IncomingMessage;
  const asked: ClientRequest[] = [];
  const keepRequest = (request: ClientRequest, _: unknown, socket: Socket): void => {
    if ((socket as unknown) !== standIn) return;
    request.path = requestEdits?.target ?? exchange.target;
    // ws() looks for it in lower case.
    request.setHeader('Upgrade', 'websocket');
    asked.push(request);
  };
  proxy.on('proxyReqWs', keepRequest);
  const options = { target: { host, port, protocol: 'http:' }, toProxy: true, agent: agentOf(services) };
  proxy.ws(incoming, standIn, undefined, options, onError);
  proxy.off('proxyReqWs', keepRequest);
  return takeOver(asked[0]!);
}

function takeOver(request: ClientRequest): AskedUpgrade {
  const [pipe] = request.listeners('upgrade') as AskedUpgrade['pipe'][];
  request.removeAllListeners('upgrade');
  request.removeAllListeners('response');
  return { request, pipe: pipe! };
}

/** Connects as plain requests do: the same names, the same refusals. */
function agentOf(services: LaneServices): Agent {
  let agent = agents.get(services);
  if (agent === undefined) {
    agent = new Agent({ keepAlive: false });
    agent.createConnection = ({ host, port }: ClientRequestArgs) =>
      services.dialler.connect({ host: host ?? '', port: Number(port), noDelay: true });
    agents.set(services, agent);
  }
  return agent;
}

// Senders of load reports for tests: datagrams, also to a group, and HTTP. What they open ends with the test.
import { createSocket, type Socket } from 'node:dgram';
import { request } from 'node:http';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { within } from '../helpers/patience.ts';

/** A socket that sends; `set` prepares it once it is bound. */
export async function startSender(host = '127.0.0.1', set: (socket: Socket) => void = () => {}) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  onTestFinished(() => void socket.close());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  socket.bind(0, host, resolve);
  await promise;
  set(socket);
  return async (port: number, text: string | Buffer, to = host): Promise<void> => {
    const sent = Promise.withResolvers<void>();
    socket.send(text, port, to, (error) => (error === null ? sent.resolve() : sent.reject(error)));
    await sent.promise;
  };
}

export function overLoopback(socket: Socket): void {
  socket.setMulticastInterface('127.0.0.1');
  socket.setMulticastLoopback(true);
}

/** Why this machine carries no multicast over loopback, found out with nothing of ours; null: it does. */
export async function multicastFault(group: string): Promise<string | null> {
  const socket = createSocket('udp4');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on('error', reject).on('message', () => resolve());
  try {
    const bound = Promise.withResolvers<void>();
    socket.bind(0, group, bound.resolve);
    await Promise.race([bound.promise, promise]);
    socket.addMembership(group, '127.0.0.1');
    const sendTo = await startSender('127.0.0.1', overLoopback);
    await sendTo(socket.address().port, 'x', group);
    await within(promise, 'a datagram to a group', 2_000);
    return null;
  } catch (error) {
    return String(error);
  } finally {
    // As long as anybody has joined, everybody on the machine gets what is sent to the group.
    socket.close();
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly connection: string | undefined;
  readonly allow: string | undefined;
}

export function send(port: number, method: string, text: string, host = '127.0.0.1'): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request({ host, port, method, path: '/load', agent: false }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    const { connection, allow } = response.headers;
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body, connection, allow }));
  });
  sent.on('error', reject);
  sent.end(text);
  return within(promise, `an answer to ${method}`);
}

/** What comes back over one connection until the other side ends it. */
export function exchange(port: number, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = '';
  const socket = connect({ host: '127.0.0.1', port }, () => socket.write(text));
  socket.setEncoding('latin1').on('data', (part: string) => {
    received += part;
  });
  socket.on('error', reject).on('close', () => resolve(received));
  onTestFinished(() => void socket.destroy());
  return within(promise, () => `the end of the connection; so far: ${received}`, 15_000);
}

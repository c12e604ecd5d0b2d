// Which ports the demo uses: those that the environment asks for, else the usual ones if they are free.
import { createServer } from 'node:net';

/** One port of the demo, before it is known whether it can be had. */
export interface PortChoice {
  readonly port: number;
  /** Whether the user asked for this one: then it is this one or none. */
  readonly isAsked: boolean;
  /** The environment variable that asks for another. */
  readonly variable: string;
}

/** Throws an Error for people if the variable holds no port. */
export function readPortChoice(variable: string, usual: number): PortChoice {
  const text = process.env[variable] ?? '';
  if (text === '') return { port: usual, isAsked: false, variable };
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new Error(`${variable} is ${JSON.stringify(text)}; it must be a port from 0 to 65535`);
  return { port, isAsked: true, variable };
}

/** Whether nobody listens there, on loopback or on all addresses. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen('127.0.0.1', port)) && (await canListen('0.0.0.0', port));
}

async function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

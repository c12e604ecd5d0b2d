// How the text of a flag becomes a value: one reader per kind of value. A reader throws RangeError with what is allowed;
// whoever calls it knows the flag's name. Readers look at nothing but their arguments.
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { durationMs, isDuration } from '../api/duration.ts';
import type { ListenAddress } from '../control/heartbeat/listen-address.ts';
import type { ServiceTarget } from '../importer/httpd/members.ts';
import type { Machine } from './machine.ts';

/** One line of the table of flags. */
export interface FlagDefinition<Value = unknown, Name extends string = string> {
  /** Without dashes. */
  readonly name: Name;
  /** What the help calls its value; left out: a switch. */
  readonly value?: string;
  /** Given several times, the values add up. */
  readonly isList?: boolean;
  /** The default as a user would write it; empty: none. */
  readonly initial: string;
  /** The default in words, where it is computed. */
  readonly initialHelp?: string;
  readonly commands: readonly string[];
  readonly help: string;
  /** Throws RangeError: `it must be …`. */
  readonly read: (texts: readonly string[], machine: Machine) => Value;
}

/** Keeps the type of the value, which `Options` is made of. */
export function defineFlag<Value, Name extends string>(flag: FlagDefinition<Value, Name>): FlagDefinition<Value, Name> {
  return flag;
}

const MAX_LANES = 64;
const DEFAULT_MAX_LANES = 8;

export function readPaths(texts: readonly string[]): readonly string[] {
  if (texts.includes('')) throw new RangeError('it must be the path of a file or a folder');
  return texts;
}

/** Null where nothing is given. */
export function readPath(texts: readonly string[]): string | null {
  if (texts.length === 0) return null;
  if (only(texts) === '') throw new RangeError('it must be the path of a file');
  return only(texts);
}

export function readPort(texts: readonly string[]): number {
  return readInteger(texts, 0, 65_535, 'a port from 0 to 65535');
}

/** Null where nothing is given. */
export function readOptionalPort(texts: readonly string[]): number | null {
  return texts.length === 0 ? null : readPort(texts);
}

/** Reads whole numbers from `min` to `max`. */
export function readCount(min: number, max: number): (texts: readonly string[]) => number {
  return (texts) => readInteger(texts, min, max, `a whole number from ${min} to ${max}`);
}

export function readSwitch(texts: readonly string[]): boolean {
  const text = only(texts);
  if (text !== 'true' && text !== 'false') throw new RangeError('it must be true or false');
  return text === 'true';
}

export function readChoice<const Choice extends string>(
  ...choices: readonly Choice[]
): (texts: readonly string[]) => Choice {
  return (texts) => {
    const found = choices.find((choice) => choice === only(texts));
    if (found === undefined) throw new RangeError(`it must be one of ${choices.join(', ')}`);
    return found;
  };
}

export function readDurationMs(texts: readonly string[]): number {
  const text = only(texts);
  const ms = isDuration(text) ? durationMs(text) : Number.POSITIVE_INFINITY;
  if (ms > durationMs('24h')) throw new RangeError('it must be a duration up to 24h, such as 500ms, 10s or 1m30s');
  return ms;
}

/** Below a second nothing could be told from what happens by chance. */
export function readWindowMs(texts: readonly string[]): number {
  const ms = readDurationMs(texts);
  if (ms < 1_000) throw new RangeError('it must be a duration from 1s to 24h');
  return ms;
}

/** An address to listen on. Names are refused: what they mean may change behind our back. */
export function readHost(texts: readonly string[]): string {
  const text = only(texts).replace(/^\[(.*)\]$/, '$1');
  if (text === 'localhost') return '127.0.0.1';
  if (isIP(text) === 0) throw new RangeError('it must be an IP address, such as 127.0.0.1, 0.0.0.0 or ::');
  return text;
}

/** An address and a port to listen on; null where nothing is given. `groups`: whether a multicast group will do. */
export function readListenAddress(
  groups: 'no-groups' | 'or-group',
): (texts: readonly string[]) => ListenAddress | null {
  return (texts) => {
    if (texts.length === 0) return null;
    const match = /^(localhost|[0-9.]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})$/.exec(only(texts));
    const example =
      groups === 'or-group' ? '0.0.0.0:27999, [::]:27999 or 239.0.0.1:27999' : '0.0.0.0:27999 or [::]:27999';
    const allowed = `an IP address and a port, such as ${example}`;
    if (match === null) throw new RangeError(`it must be ${allowed}`);
    const host = match[1] === 'localhost' ? '127.0.0.1' : match[1]!.replace(/^\[(.*)\]$/, '$1');
    const isGroup = isIP(host) !== 0 && ipaddr.parse(host).range() === 'multicast';
    if (isIP(host) === 0 || (isGroup && groups === 'no-groups')) throw new RangeError(`it must be ${allowed}`);
    return { host, port: readInteger([match[2]!], 0, 65_535, allowed) };
  };
}

/** Host names in lower case. */
export function readHosts(texts: readonly string[]): readonly string[] {
  return items(texts).map((text) => {
    const host = text.toLowerCase().replace(/\.$/, '');
    if (!/^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9])?$/.test(host)) {
      throw new RangeError('it must be host names without ports, separated by commas');
    }
    return host;
  });
}

export function readName(texts: readonly string[]): string {
  const text = only(texts);
  if (!isName(text))
    throw new RangeError('it must be at most 63 of a-z, 0-9 and -, with a letter or digit at both ends');
  return text;
}

/** `*` alone means all, `none` alone means none. */
export function readNamespaces(texts: readonly string[]): 'all' | ReadonlySet<string> {
  const names = items(texts);
  if (names.length === 1 && names[0] === '*') return 'all';
  if (names.length === 1 && names[0] === 'none') return new Set();
  if (!names.every(isName)) throw new RangeError('it must be names of namespaces, separated by commas, or * or none');
  return new Set(names);
}

/** The value of the label topology.kubernetes.io/zone; null where nothing is given. */
export function readZone(texts: readonly string[]): string | null {
  if (texts.length === 0) return null;
  if (!/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(only(texts))) {
    throw new RangeError('it must be the name of a zone, as in the label topology.kubernetes.io/zone of nodes');
  }
  return only(texts);
}

/** `NAMESPACE/NAME`; null where nothing is given. */
export function readObjectName(texts: readonly string[]): { readonly namespace: string; readonly name: string } | null {
  if (texts.length === 0) return null;
  const [namespace = '', name = '', ...rest] = only(texts).split('/');
  if (rest.length > 0 || !isName(namespace) || !isName(name)) {
    throw new RangeError('it must be a namespace and a name with a slash between, such as evenkeel/evenkeel');
  }
  return { namespace, name };
}

/** IP addresses and host names, at most 16. */
export function readPublishedAddresses(texts: readonly string[]): readonly string[] {
  const addresses = items(texts).map((text) => text.toLowerCase().replace(/\.$/, ''));
  const isFit = (text: string): boolean =>
    isIP(text) !== 0 || /^(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text);
  if (addresses.length > 16 || !addresses.every(isFit)) {
    throw new RangeError('it must be up to 16 IP addresses or host names without ports, separated by commas');
  }
  return addresses;
}

/** A name; null where nothing is given. */
export function readNameOrNone(texts: readonly string[]): string | null {
  return texts.length === 0 ? null : readName(texts);
}

/** Networks in CIDR notation; a single address becomes the network of itself. */
export function readNetworks(texts: readonly string[]): readonly string[] {
  return items(texts).map((text) => {
    const network = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`;
    if (!ipaddr.isValidCIDR(network)) {
      throw new RangeError('it must be addresses or networks, separated by commas, such as 10.0.0.0/8 or fd00::/8');
    }
    return network;
  });
}

/** `auto`: one per processor up to 8, or 1 where a port cannot be shared. */
export function readLanes(texts: readonly string[], machine: Machine): number {
  const { processors, canSharePort } = machine;
  if (only(texts) === 'auto') return canSharePort ? Math.max(1, Math.min(processors, DEFAULT_MAX_LANES)) : 1;
  const lanes = readInteger(texts, 0, MAX_LANES, `a whole number from 0 to ${MAX_LANES}, or auto`);
  if (lanes > 1 && !canSharePort)
    throw new RangeError('it must be 0 or 1: this system cannot share a port among threads');
  return lanes;
}

/** `BALANCER=[NAMESPACE/]SERVICE:PORT`: Services by the balancer's name in lower case. */
export function readServiceTargets(texts: readonly string[]): ReadonlyMap<string, ServiceTarget> {
  return new Map(
    texts.map((text) => {
      const match = /^([^=]+)=(?:([a-z0-9-]+)\/)?([a-z0-9-]+):([a-z0-9-]+)$/.exec(text);
      const [, balancer = '', namespace, name = '', port = ''] = match ?? [];
      if (match === null || !isName(name) || (namespace !== undefined && !isName(namespace))) {
        throw new RangeError('it must be like mycluster=shop/app:http or mycluster=app:8080');
      }
      const number = /^[0-9]+$/.test(port) ? Number(port) : port;
      return [balancer.toLowerCase(), { namespace: namespace ?? null, name, port: number }];
    }),
  );
}

/** `NAME=VALUE`, or `NAME` alone. */
export function readDefines(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const [, name = '', value = ''] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?$/s.exec(text) ?? [];
      if (name === '') throw new RangeError('it must be NAME or NAME=VALUE');
      return [name, value];
    }),
  );
}

function isName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

function readInteger(texts: readonly string[], min: number, max: number, allowed: string): number {
  const text = only(texts);
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new RangeError(`it must be ${allowed}`);
  return value;
}

function only(texts: readonly string[]): string {
  return texts[0] ?? '';
}

function items(texts: readonly string[]): readonly string[] {
  const all = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
  if (all.includes('')) throw new RangeError('it has an empty entry');
  return all;
}

// The differences between the wire and Node's parser that are understood: what the wire accepts and Node does not, or reads
// otherwise, each with the reason why that is right. Whatever is not listed here is a fault.
import type { MessageKind } from './generator.ts';
import { nodeMethods } from './node-reader.ts';
import { findDifference, type Message, type Transcript } from './transcript.ts';

/** The first thing in which two transcripts differ. */
export interface Difference {
  /** `message`: what message `index` is. `persistence`: whether the stream is still HTTP/1.x after message `index`, on which both agree. */
  readonly about: 'message' | 'persistence';
  readonly index: number;
  /** The message of that index as the wire sees it. */
  readonly message: Message;
  readonly what: string;
}

export interface UnderstoodDifference {
  readonly name: string;
  readonly reason: string;
  readonly applies: (difference: Difference, kind: MessageKind) => boolean;
}

function hasHeader(message: Message, lowerName: string): boolean {
  return message.headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === lowerName);
}

function isOption(message: Message, option: string): boolean {
  return message.headers.some(
    (name, i) =>
      i % 2 === 0 &&
      name.toLowerCase() === 'connection' &&
      message.headers[i + 1]!.split(',').some((item) => item.trim().toLowerCase() === option),
  );
}

export const understoodDifferences: readonly UnderstoodDifference[] = [
  {
    name: 'unknown-method',
    reason:
      'Node refuses methods that are not on its list. RFC 9110 §9.1 makes every token a method, and whether it is known is ' +
      'for the member to say.',
    applies: ({ about, message }, kind) =>
      about === 'message' && kind === 'request' && !nodeMethods.has(message.method),
  },
  {
    name: 'proxy-connection',
    reason:
      'Node takes Proxy-Connection for Connection, so it closes, keeps open or upgrades on its word. RFC 9112 §C.2.2: no attention ' +
      'is paid to it. The framing of the message is the same.',
    applies: ({ about, message }) => about === 'persistence' && hasHeader(message, 'proxy-connection'),
  },
  {
    name: 'close-and-keep-alive',
    reason:
      'Node keeps an HTTP/1.0 connection open when Connection says both close and keep-alive. RFC 9112 §9.3 looks for close first. ' +
      'The framing of the message is the same, and closing is always safe.',
    applies: ({ about, message }) =>
      about === 'persistence' &&
      message.minorVersion === 0 &&
      isOption(message, 'close') &&
      isOption(message, 'keep-alive'),
  },
  {
    name: 'upgrade-in-http-1.0',
    reason:
      'Node upgrades HTTP/1.0 requests. RFC 9110 §7.8: Upgrade is ignored in them. The framing of the message is the same.',
    applies: ({ about, message }, kind) =>
      about === 'persistence' && kind === 'request' && message.minorVersion === 0 && hasHeader(message, 'upgrade'),
  },
];

/** Where wire and Node differ, or null. Only what the wire accepts is compared: what it refuses needs no second opinion. */
export function compare(wire: Transcript, node: Transcript): Difference | null {
  for (const [index, message] of wire.messages.entries()) {
    const other = node.messages[index];
    if (other === undefined) return describeMissing(wire, node, index, message);
    const part = findDifference(message, other);
    if (part !== null) return { about: 'message', index, message, what: part };
  }
  return wire.error === null ? compareRest(wire, node) : null;
}

function describeMissing(wire: Transcript, node: Transcript, index: number, message: Message): Difference {
  const previous = wire.messages[index - 1];
  const hasStopped = node.error === 'HPE_CLOSED_CONNECTION' || node.stoppedAt !== -1;
  return hasStopped && previous !== undefined
    ? { about: 'persistence', index: index - 1, message: previous, what: 'node takes nothing after it' }
    : { about: 'message', index, message, what: `node has no such message (${node.error})` };
}

/** Compares what follows the messages that the wire found complete, on which both agree. */
function compareRest(wire: Transcript, node: Transcript): Difference | null {
  const index = wire.messages.length - 1;
  const last = wire.messages[index];
  if (node.messages.length > wire.messages.length) {
    const isOver = wire.openHead === null && last !== undefined;
    const message = wire.openHead ?? last ?? node.messages[0]!;
    return { about: isOver ? 'persistence' : 'message', index, message, what: 'node sees one more message' };
  }
  if (wire.stoppedAt !== node.stoppedAt && last !== undefined) {
    return { about: 'persistence', index, message: last, what: `upgrade at ${wire.stoppedAt} and ${node.stoppedAt}` };
  }
  return wire.openHead === null ? null : compareOpenHeads(wire, node, wire.openHead);
}

function compareOpenHeads(wire: Transcript, node: Transcript, head: Message): Difference | null {
  const index = wire.messages.length;
  if (node.openHead === null) return describeMissing(wire, node, index, head);
  const part = findDifference(head, { ...node.openHead, body: '', trailers: [] });
  if (part === null && node.error === null) return null;
  return { about: 'message', index, message: head, what: part ?? `node refuses the body (${node.error})` };
}

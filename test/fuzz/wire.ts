// The fuzzer: whatever the wire accepts, Node's parser must accept with the same framing, and cutting the bytes anywhere
// must change nothing. Run: node test/fuzz/wire.ts --messages 200000 --seed 1. Exit 1 on a difference not understood.
// A stream holds one to three messages; "messages" counts what both sides parsed or refused, one per generated stream.
import { parseArgs } from 'node:util';
import { readCorpus } from './corpus.ts';
import { generate, type MessageKind } from './generator.ts';
import { mutate } from './mutator.ts';
import { NodeReader } from './node-reader.ts';
import { createRandomSource, type RandomSource } from './random-source.ts';
import type { Transcript } from './transcript.ts';
import { compare, understoodDifferences } from './understood.ts';
import { WireReader } from './wire-reader.ts';

// Follows every stream: what is taken for its beginning, or not, shows where the last message ended.
const sentinels: Record<MessageKind, string> = {
  request: 'GET /sentinel HTTP/1.1\r\nHost: a\r\n\r\n',
  response: 'HTTP/1.1 204 Sentinel\r\n\r\n',
};
const kinds: readonly MessageKind[] = ['request', 'request', 'response'];
const maxReports = 10;

interface Readers {
  readonly wire: WireReader;
  readonly node: NodeReader;
}

interface Tally {
  streams: number;
  wireAccepted: number;
  wireRefused: number;
  nodeAccepted: number;
  nodeRefused: number;
  faults: number;
  agreed: number;
  readonly understood: Map<string, number>;
  readonly errors: Map<string, number>;
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function report(
  tally: Tally,
  kind: MessageKind,
  what: string,
  text: string,
  wire: Transcript,
  other: Transcript,
): void {
  tally.faults++;
  if (tally.faults > maxReports) return;
  console.log(`\nDIFFERENCE (${kind}): ${what}\n${JSON.stringify(text)}`);
  console.log(`  wire : ${JSON.stringify(wire)}\n  other: ${JSON.stringify(other)}`);
}

function cutAnywhere(random: RandomSource, length: number): number[] {
  if (random.oneIn(8)) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: 1 + random.below(4) }, () => random.below(length + 1)).sort((a, b) => a - b);
}

function count(tally: Tally, wire: Transcript, node: Transcript): void {
  tally.streams++;
  tally.agreed += wire.messages.length;
  if (wire.error === null) tally.wireAccepted++;
  else {
    tally.wireRefused++;
    increment(tally.errors, wire.error);
  }
  if (node.error === null) tally.nodeAccepted++;
  else tally.nodeRefused++;
}

function checkStream(tally: Tally, random: RandomSource, kind: MessageKind, readers: Readers, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  const requestMethod = random.oneIn(20) ? 'HEAD' : 'GET';
  const wire = readers.wire.read(bytes, requestMethod, []);
  const node = readers.node.read(bytes, requestMethod);
  count(tally, wire, node);
  const found = compare(wire, node);
  if (found !== null) {
    const understood = understoodDifferences.find((entry) => entry.applies(found, kind));
    if (understood !== undefined) increment(tally.understood, understood.name);
    else report(tally, kind, `${found.about} ${found.index}: ${found.what}`, text, wire, node);
  }
  const cuts = cutAnywhere(random, bytes.length);
  const pieces = readers.wire.read(bytes, requestMethod, cuts);
  if (JSON.stringify(pieces) !== JSON.stringify(wire)) report(tally, kind, `cut at ${cuts}`, text, wire, pieces);
}

function listCounts(counts: Map<string, number>): string {
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, number]) => `${name} ${number}`)
    .join(', ');
}

function main(): void {
  const { values } = parseArgs({
    options: { messages: { type: 'string', default: '200000' }, seed: { type: 'string' } },
  });
  const messages = Number(values.messages);
  const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
  const random = createRandomSource(seed);
  const readers: Record<MessageKind, Readers> = {
    request: { wire: new WireReader('request'), node: new NodeReader('request') },
    response: { wire: new WireReader('response'), node: new NodeReader('response') },
  };
  const corpus = readCorpus();
  const seeds: Record<MessageKind, string[]> = {
    request: corpus.filter((entry) => entry.kind === 'request').map((entry) => entry.text),
    response: corpus.filter((entry) => entry.kind === 'response').map((entry) => entry.text),
  };
  const tally: Tally = {
    streams: 0,
    wireAccepted: 0,
    wireRefused: 0,
    nodeAccepted: 0,
    nodeRefused: 0,
    faults: 0,
    agreed: 0,
    understood: new Map(),
    errors: new Map(),
  };
  const startMs = performance.now();
  let other = '';
  while (tally.streams < messages && tally.faults < maxReports) {
    const kind = random.from(kinds);
    const start = random.oneIn(10) ? random.from(seeds[kind]) : generate(random, kind);
    const text = mutate(random, start, other);
    other = text;
    checkStream(tally, random, kind, readers[kind], text + sentinels[kind]);
    if (tally.streams % 1_000_000 === 0) console.log(`${tally.streams} messages, ${tally.faults} differences`);
  }
  const seconds = (performance.now() - startMs) / 1000;
  console.log(
    `seed ${seed}: ${tally.streams} messages in ${seconds.toFixed(1)} s, ${Math.round(tally.streams / seconds)} messages/s`,
  );
  console.log(`wire: accepted ${tally.wireAccepted}, refused ${tally.wireRefused}`);
  console.log(`complete messages in what wire accepted: ${tally.agreed}`);
  console.log(`node: accepted ${tally.nodeAccepted}, refused ${tally.nodeRefused}`);
  console.log(`refused by wire for: ${listCounts(tally.errors)}`);
  console.log(`understood differences: ${listCounts(tally.understood) || 'none'}`);
  console.log(`differences not understood: ${tally.faults}`);
  process.exitCode = tally.faults > 0 ? 1 : 0;
}

main();

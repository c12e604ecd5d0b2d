// What the fuzzer found stays found: every case of the corpus keeps its outcome, however it is cut.
import { expect, test } from 'vitest';
import { readCorpus } from '../../fuzz/corpus.ts';
import { NodeReader } from '../../fuzz/node-reader.ts';
import { compare, understoodDifferences } from '../../fuzz/understood.ts';
import { WireReader } from '../../fuzz/wire-reader.ts';

test.each(readCorpus())('$name: $why', ({ kind, requestMethod, text, starts, bodies, error, differs }) => {
  const reader = new WireReader(kind);
  const bytes = Buffer.from(text, 'latin1');
  const method = requestMethod ?? 'GET';
  const wire = reader.read(bytes, method, []);
  expect(wire.messages.map((message) => message.method || String(message.status))).toEqual(starts);
  expect(wire.messages.map((message) => message.body)).toEqual(bodies);
  expect(wire.error).toBe(error);

  for (let cut = 0; cut <= bytes.length; cut++) expect(reader.read(bytes, method, [cut])).toEqual(wire);

  const found = compare(wire, new NodeReader(kind).read(bytes, method));
  const understood = found && understoodDifferences.find((entry) => entry.applies(found, kind));
  expect(found === null ? null : (understood?.name ?? found)).toBe(differs);
});

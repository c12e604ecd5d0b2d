// Damages messages the way attackers and broken software do: octets changed, put in, taken out, doubled, moved.
import type { RandomSource } from './random-source.ts';

const splices = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  '\0',
  '\x0b',
  '\x7f',
  '\xa0',
  '\xff',
  ':',
  ',',
  ';',
  '"',
  '#',
  '%',
  '0',
  '5',
  'f',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: a\r\n',
  'Connection: close\r\n',
  ' chunked',
  'HTTP/1.1',
  '0\r\n\r\n',
  'GET /x HTTP/1.1\r\nHost: a\r\n\r\n',
  'X-A: b\r\n',
];

function mutateOnce(random: RandomSource, text: string, other: string): string {
  const at = random.below(text.length + 1);
  const length = 1 + random.below(random.oneIn(4) ? 40 : 3);
  switch (random.below(8)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + random.from(splices) + text.slice(at);
    case 2:
      return text.slice(0, at) + random.from(splices) + text.slice(at + length);
    case 3:
      return text.slice(0, at) + text.slice(at + length);
    case 4:
      return text.slice(0, at + length) + text.slice(at);
    case 5: {
      const from = random.below(other.length + 1);
      return text.slice(0, at) + other.slice(from, from + length * 4) + text.slice(at);
    }
    case 6: {
      const code = text.charCodeAt(at);
      return Number.isNaN(code)
        ? text
        : text.slice(0, at) + String.fromCharCode(code ^ (1 << random.below(8))) + text.slice(at + 1);
    }
    default:
      return moveLine(random, text);
  }
}

function moveLine(random: RandomSource, text: string): string {
  const lines = text.split('\r\n');
  const [line] = lines.splice(random.below(lines.length), 1);
  lines.splice(random.below(lines.length + 1), 0, line!);
  return lines.join('\r\n');
}

/** None to four changes; `other` gives material for splicing. */
export function mutate(random: RandomSource, text: string, other: string): string {
  let mutated = text;
  for (let left = random.from([0, 0, 1, 1, 1, 2, 4]); left > 0; left--) mutated = mutateOnce(random, mutated, other);
  return mutated;
}

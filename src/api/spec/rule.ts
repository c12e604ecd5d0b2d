// Which requests a Balancer takes: hosts and paths. How they are matched and who wins is not decided here.
import { z } from 'zod';
import { choice, list, text } from '../schema/field.ts';

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const hostPattern = new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`);

/** One host, or all hosts that have one more label in front: `*.example.com`. */
export function hostField(doc: string) {
  return text({
    doc,
    allowed: 'a host name without a port, such as shop.example.com, which may begin with "*."',
    pattern: hostPattern,
    max: 253,
  });
}

// A segment is neither empty nor "." nor "..": one character that is no dot, or a dot and one, or two dots and any.
const character = '[^/?#;%\\\\\\x00-\\x1f\\x7f]';
const noDot = '[^/?#;%\\\\\\x00-\\x1f\\x7f.]';
const segment = `(?:${noDot}|\\.${noDot}|\\.\\.${character})${character}*`;
const pathPattern = new RegExp(`^/(?:${segment}(?:/${segment})*/?)?$`);

const pathSchema = z
  .strictObject({
    type: choice(
      'How the value is compared: Prefix takes the path and everything below it, segment by segment (/app takes ' +
        '/app and /app/x, not /apple); Exact takes the path alone.',
      ['Prefix', 'Exact'],
    ).default('Prefix'),
    value: text({
      doc:
        'The path, as it reads after decoding and without path parameters: /café, not /caf%C3%A9; /app takes ' +
        '/app;jsessionid=x too.',
      allowed:
        'a path that begins with "/", without "?", "#", ";", "%", "\\", empty segments and the segments "." and ".."',
      pattern: pathPattern,
      max: 1024,
    }).default('/'),
  })
  .meta({ description: 'One path. The most specific path of the most specific host wins.' });

export const ruleSchema = z
  .strictObject({
    hosts: list(
      'Hosts, without regard to case, port and a trailing dot. Empty: every host that no other rule takes.',
      hostField('A host name; "*." in front stands for exactly one label.'),
      64,
    ).default([]),
    paths: list('Paths under these hosts. Omitted: every path.', pathSchema, 64, 1).prefault([{}]),
  })
  .meta({
    description: 'One set of hosts and paths: a request that has one of the hosts and one of the paths matches.',
  });

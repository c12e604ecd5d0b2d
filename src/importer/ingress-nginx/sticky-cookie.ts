// The cookie affinity of ingress-nginx → spec.stickySession with strategy Insert.

import { formatDuration } from '../duration-text.ts';
import type { Fields } from '../manifest.ts';

/** Reads an annotation, by its key without the prefix, and says something of it. */
export interface AnnotationReader {
  get(key: string): string | undefined;
  say(weight: 'lost' | 'changed', key: string, message: string): void;
}

/**
 * Undefined: sessions are not kept. `path`: of the rules, where there is but one. `suffix`: for the cookie's name, since each
 * Balancer of a host needs a cookie of its own; there they are told apart by their paths.
 */
export function stickyCookieOf(annotations: AnnotationReader, path: string | null, suffix: string): Fields | undefined {
  const affinity = annotations.get('affinity');
  if (affinity === undefined) return undefined;
  if (affinity !== 'cookie') {
    annotations.say('lost', 'affinity', `there is no affinity ${affinity}`);
    return undefined;
  }
  const read = (key: string): string | undefined => annotations.get(`session-cookie-${key}`);
  annotations.say(
    'changed',
    'affinity',
    'the cookie is set by strategy Insert; its values differ from those of nginx, so sessions under way are balanced once more',
  );
  if (annotations.get('affinity-mode') !== 'persistent') {
    annotations.say('changed', 'affinity', 'sessions do not move when members come, as with affinity-mode persistent');
  }
  if (read('change-on-failure') !== 'true') {
    annotations.say(
      'changed',
      'affinity',
      'a session whose member is down goes to another one, as with change-on-failure',
    );
  }
  if (read('conditional-samesite-none') === 'true') {
    annotations.say('lost', 'session-cookie-conditional-samesite-none', 'browsers are not told apart');
  }
  const cookie = `${read('name') ?? 'INGRESSCOOKIE'}${suffix}`;
  if (suffix !== '') {
    annotations.say('changed', 'affinity', `each Balancer has a cookie of its own; one more of them is ${cookie}`);
  }
  const cookiePath = read('path') ?? path ?? '/';
  const sameSite = ['Strict', 'None', 'Lax'].find((name) => name.toLowerCase() === read('samesite')?.toLowerCase());
  return {
    cookie,
    strategy: 'Insert',
    attributes: {
      path: cookiePath === '/' ? undefined : cookiePath,
      domain: read('domain')?.replace(/^\./, ''),
      maxAge: maxAgeOf(read('max-age') ?? read('expires')),
      sameSite: sameSite === 'Lax' ? undefined : sameSite,
      secure: read('secure') === 'true' ? 'Always' : undefined,
    },
  };
}

function maxAgeOf(seconds: string | undefined): string | undefined {
  if (seconds === undefined || !/^[1-9][0-9]{0,7}$/.test(seconds)) return undefined;
  return formatDuration(Number(seconds) * 1000);
}

// Which Host names the admin port answers to. A page of a stranger can point a name of its own at our address and then
// read what we answer (DNS rebinding); it cannot do so with an IP address, or with a name that we know.
import { isIP } from 'node:net';

const LOOPBACK_NAMES = ['localhost', 'ip6-localhost', 'localhost.localdomain'];

/** True for Host headers that may be answered; `undefined` and anything malformed is not. */
export type HostCheck = (host: string | undefined) => boolean;

/** `names`: names that are answered to besides the loopback names and all IP addresses; lower case, without port. */
export function createHostCheck(names: readonly string[]): HostCheck {
  const known = new Set([...LOOPBACK_NAMES, ...names]);
  return (host) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/?#@\s]+)(:\d{1,5})?$/.exec(host ?? '');
    const name = match?.[1];
    if (name === undefined) return false;
    if (name.startsWith('[')) return isIP(name.slice(1, -1)) === 6;
    return isIP(name) === 4 || known.has(name.toLowerCase().replace(/\.$/, ''));
  };
}

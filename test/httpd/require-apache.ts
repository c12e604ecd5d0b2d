// An httpd, or a loud word about what is not tested without one. In CI there is no excuse.
import type { TestContext } from 'vitest';
import { type ApacheHome, findApache } from './apache.ts';

export function requireApache(context: TestContext): ApacheHome {
  const home = findApache();
  if (home !== null) return home;
  const reason =
    'there is no httpd with mod_proxy_balancer on this machine: NOTHING IS COMPARED WITH HTTPD. Install it (Debian: apt-get install apache2; it need not run).';
  if (process.env.CI !== undefined) throw new Error(reason);
  console.error(`test/httpd is skipped: ${reason}`);
  return context.skip(reason);
}

// Makes both sides send members the same count of bytes, so that bytraffic can be compared one for one: each side adds
// headers of its own, the same for every request; what one adds less, the client adds in a header that does nothing.
import { type Cast, play } from './play.ts';
import type { ProxySide } from './proxy-side.ts';
import type { Side } from './stage.ts';
import type { Story } from './story.ts';

export type Padding = Readonly<Record<Side, string>>;

const FIRST: Padding = { httpd: 'p', evenk: 'p' };

/** One request to one member. */
export const plainStory: Story = {
  method: 'byrequests',
  members: [{ factor: 1, lbSet: 0, role: 'Active', state: 'Enabled', ignoresErrors: false, redirect: '' }],
  retrySeconds: 0,
  maxAttempts: 0,
  forceRecovery: true,
  failOnStatus: [],
  sticky: null,
  events: [{ op: 'request', sizes: { up: 0, down: 0 }, session: null, status: 200 }],
};

/** Plays `plainStory` on its stand and says what to pad. */
export async function measurePadding(cast: Omit<Cast, 'padding'>, sides: readonly ProxySide[]): Promise<Padding> {
  const { httpd, evenk } = await play(plainStory, { ...cast, padding: FIRST }, sides);
  const more = evenk.get(0)!.sent - httpd.get(0)!.sent;
  return { httpd: 'p'.repeat(1 + Math.max(0, more)), evenk: 'p'.repeat(1 + Math.max(0, -more)) };
}

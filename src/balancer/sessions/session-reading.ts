// What a request says of its session. Filled by session-reader.ts, read by the data plane, and by session-writer.ts
// when the response comes.
import type { LineEdits } from './head-lines.ts';

/** Where the session was found; in this order it is looked for. */
export type SessionSource = 'path' | 'query' | 'cookie' | 'header';

/**
 * `valid`: taken. `unsigned`: without a signature where signing is on; taken under Prefer only. `forged`: a signature that no
 * key made. `expired`: signed longer ago than `maxAge`, or in the future. `foreign`: another balancer's. `garbled`: begins
 * like one of ours but is damaged. `none`: nothing of ours.
 */
export type SessionVerdict = 'valid' | 'unsigned' | 'forged' | 'expired' | 'foreign' | 'garbled' | 'none';

/**
 * One per request that is under way, or re-used where nothing is under way: strings and edits stay good, the fields are
 * overwritten by the next reading.
 */
export interface SessionReading {
  /** Null: there is no session. Then `value` may be that of a session which nothing binds to a member. */
  source: SessionSource | null;
  /** The session route, for `stick`. '': none, or under Suffix and Insert that of a member not known here. */
  route: string;
  /** Under Suffix and Insert what the token carries for it; '' else. See `routeOf`. */
  routeHash: string;
  /**
   * Suffix: the session value as the application knows it, of the session or else of the first value found; Route and Insert:
   * the whole value. Tells sessions apart, for the rendezvous and the count of live sessions.
   */
  value: string;
  /** Of the session, or else of the first value that had something to tell. */
  verdict: SessionVerdict;
  /** Milliseconds since the epoch; 0: not known. */
  issuedMs: number;
  /** Issued under ten seconds ago: when its member is not known here, it may be soon. */
  isFresh: boolean;
  /** Better replaced at the next occasion: past half its life, not signed by the first key, or of an old form. */
  isStale: boolean;
  /** What the member gets in place of header lines; null: all as they are. Never re-used, so it may be kept. */
  edits: LineEdits | null;
  /** What the member gets as the request target; null: the one that came. */
  target: string | null;
}

export function createSessionReading(): SessionReading {
  return {
    source: null,
    route: '',
    routeHash: '',
    value: '',
    verdict: 'none',
    issuedMs: 0,
    isFresh: false,
    isStale: false,
    edits: null,
    target: null,
  };
}

export function clearSessionReading(reading: SessionReading): void {
  reading.source = null;
  reading.route = '';
  reading.routeHash = '';
  reading.value = '';
  reading.verdict = 'none';
  reading.issuedMs = 0;
  reading.isFresh = false;
  reading.isStale = false;
  reading.edits = null;
  reading.target = null;
}

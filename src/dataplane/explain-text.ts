// What a client that knows the explain secret is told of its request, as the value of X-Evenkeel-Explain: parameters in
// the manner of RFC 9651 §3.1.2. Pure. The only text for clients that names members.
import type { RuleUnit } from '../snapshot/snapshot.ts';
import { asFieldValue, type SessionFacts } from './session-facts.ts';

/** Why the member that was tried last was tried. */
export type ElectionReason =
  /** The session is its own. */
  | 'session'
  /** The session's member cannot be had, and this is the one that takes its sessions over. */
  | 'session-moved'
  /** The method, by its name. */
  | string;

export interface Explanation {
  /** Null: none leads the request anywhere. */
  readonly rule: RuleUnit | null;
  /** Null: the balancer keeps no sessions, or nobody looked. */
  readonly session: SessionFacts | null;
  /** Name of the member that answered; null: we did. */
  readonly member: string | null;
  /** Of the member; else the code of our own answer, as in docs/errors.md. */
  readonly reason: ElectionReason;
  readonly attempts: number;
  /** Members that were tried before, and why they did not do. */
  readonly failed: readonly { readonly member: string; readonly reason: string }[];
}

/** Names of members in `failed`; whatever comes after is left out. Each may be long, and heads are limited. */
const MAX_FAILED = 8;

export function explanationText({ rule, session, member, reason, attempts, failed }: Explanation): string {
  const parts: string[] = [];
  const add = (key: string, value: string): void => {
    parts.push(`${key}=${tokenOrString(value)}`);
  };
  add('rule', rule === null ? 'none' : `${rule.host} ${rule.pathType} ${asFieldValue(rule.path)}`);
  if (rule !== null) add('balancer', rule.balancer);
  add('session', session?.source ?? 'none');
  if (session !== null && session.verdict !== 'none') add('verdict', session.verdict);
  if (session !== null && session.route !== '') add('route', asFieldValue(session.route));
  add('member', member ?? 'none');
  add('reason', reason);
  add('attempts', String(attempts));
  if (failed.length > 0) {
    const told = failed.slice(0, MAX_FAILED).map((each) => `${each.member}:${each.reason}`);
    add('failed', told.join(','));
  }
  return parts.join('; ');
}

const TOKEN = /^[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*$|^[0-9]{1,15}$/;

/** A token or an integer where the text is one, else a string. */
function tokenOrString(text: string): string {
  if (TOKEN.test(text)) return text;
  const visible = text.replace(/[^\x20-\x7e]/gu, encodeURIComponent);
  return `"${visible.replace(/["\\]/g, '\\$&')}"`;
}

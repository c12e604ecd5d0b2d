// What follows from the end of an attempt: whether its member goes into error, and whether the request is
// over, goes to another member or fails (httpd mod_proxy.c proxy_handler, mod_proxy_balancer.c post_request).
// Decides only; marking, electing and answering are the caller's.
import type { FailoverUnit } from '../snapshot/snapshot.ts';

/** How an attempt can end. */
export type Outcome =
  /** The member answered; its head goes, or went, to the client. */
  | { readonly kind: 'answered'; readonly status: number }
  /** Nothing listens, or unreachable. */
  | { readonly kind: 'connect-refused' }
  | { readonly kind: 'connect-timeout' }
  | { readonly kind: 'name-not-resolved' }
  /** Its address points inwards, where members may not be. */
  | { readonly kind: 'member-not-allowed' }
  /** It had as many connections as it may when the attempt was to begin. */
  | { readonly kind: 'member-full' }
  /** Closed by the member before the head of an answer was complete. */
  | { readonly kind: 'closed-before-head' }
  /** The head of the answer did not come in time. */
  | { readonly kind: 'response-timeout' }
  /** What came is not HTTP/1.x, or an upgrade that nobody asked for, or too many interim answers. */
  | { readonly kind: 'bad-response-head' }
  | { readonly kind: 'upgrade-failed' }
  /** The answer broke off or stalled after its head had gone to the client. */
  | { readonly kind: 'response-cut' }
  | { readonly kind: 'client-gone' }
  /** The request's own body is at fault: 400, 408 or 413. */
  | { readonly kind: 'bad-request-body'; readonly status: number };

/** What the request and its member allow. */
export interface Situation {
  /** GET, HEAD, OPTIONS, TRACE, PUT, DELETE: doing it twice is doing it once (RFC 9110 §9.2.2). */
  readonly isIdempotent: boolean;
  /** Whether nothing of the body was taken from the client, or all that was is still here. */
  readonly isReplayable: boolean;
  /** Attempts that have ended, this one included: 1 after the first. */
  readonly attempts: number;
  /** Whether the member ignores errors: it stays usable, so httpd does not leave it. */
  readonly ignoresErrors: boolean;
}

export interface Verdict {
  readonly next: /** The client has, or gets, what the member sent; after `response-cut` and `client-gone` the connection is cut. */
    | 'done'
    /** Another election. */
    | 'try-next'
    /** The client gets `status` from us. */
    | 'fail';
  /** What the client gets from us where `next` is `fail`, or where `try-next` finds no member; else 0. */
  readonly status: number;
  /** Whether the member goes into error (markFailed, which spares those that ignore errors). */
  readonly failsMember: boolean;
  /** Whether the next election avoids this member, because it does not go into error and might win again. */
  readonly avoidsMember: boolean;
}

/** No member can be elected; also when a session may not leave its member. */
export const NO_MEMBER_STATUS = 503;

/** `always`: the member has seen nothing of the request. `idempotent`: it may have acted on it. */
export type Retry = 'always' | 'idempotent' | 'never';

interface Consequence {
  /** What the client gets unless another attempt follows; 0: nothing can be sent any more. */
  readonly status: number;
  readonly failsMember: boolean;
  readonly retry: Retry;
}

/** The ends of an attempt that are not the request's own fault. */
export type MemberFault = Exclude<Outcome['kind'], 'answered' | 'bad-request-body'>;

function consequence(status: number, failsMember: boolean, retry: Retry): Consequence {
  return { status, failsMember, retry };
}

/** What each end means. The one place for it: the table of all errors takes status and retry from here. */
export const MEMBER_FAULTS: Readonly<Record<MemberFault, Consequence>> = {
  'connect-refused': consequence(503, true, 'always'),
  'connect-timeout': consequence(503, true, 'always'),
  // Differs from httpd: a name that does not resolve sends the request to the next member. There it is 500.
  'name-not-resolved': consequence(503, true, 'always'),
  'member-not-allowed': consequence(503, true, 'always'),
  // Differs from httpd: a full member does not go into error. There, being popular costs it 60 seconds of rest.
  'member-full': consequence(503, false, 'always'),
  // Differs from httpd: a member that dies before it answers costs an idempotent request nothing. There it is 502.
  'closed-before-head': consequence(502, false, 'idempotent'),
  // Differs from httpd: a response that does not begin in time is 504, and an idempotent request may fail over.
  'response-timeout': consequence(504, false, 'idempotent'),
  'bad-response-head': consequence(502, false, 'never'),
  'upgrade-failed': consequence(502, false, 'never'),
  'response-cut': consequence(0, false, 'never'),
  'client-gone': consequence(0, false, 'never'),
};

/** What follows from an attempt's end. `policy.maxAttempts` counts further attempts after the first. */
export function decide(outcome: Outcome, situation: Situation, policy: FailoverUnit): Verdict {
  switch (outcome.kind) {
    case 'answered':
      return failsOnStatus(policy, outcome.status) ? ANSWERED_BADLY : ANSWERED;
    case 'bad-request-body':
      return verdict('fail', outcome.status, false);
    default:
      return decideFault(outcome.kind, situation, policy);
  }
}

function decideFault(kind: MemberFault, situation: Situation, policy: FailoverUnit): Verdict {
  const { status, failsMember, retry } = MEMBER_FAULTS[kind];
  if (status === 0) return verdict('done', 0, false);
  const isSafe = situation.isReplayable && (retry === 'always' || (retry === 'idempotent' && situation.isIdempotent));
  const isFailed = failsMember || (kind === 'response-timeout' && policy.failOnTimeout);
  // As in httpd, a member that errors cannot make unusable is not left for another one.
  const isLeft = !failsMember || !situation.ignoresErrors;
  if (isSafe && isLeft && situation.attempts <= policy.maxAttempts) {
    return verdict('try-next', status, isFailed, !isFailed || situation.ignoresErrors);
  }
  return verdict('fail', status, isFailed || failsOnStatus(policy, status));
}

function verdict(next: Verdict['next'], status: number, failsMember: boolean, avoidsMember = false): Verdict {
  return { next, status, failsMember, avoidsMember };
}

const ANSWERED = verdict('done', 0, false);
const ANSWERED_BADLY = verdict('done', 0, true);

/**
 * Whether a status puts the member to rest: the member's own answer, or the one that we make for it (httpd
 * failonstatus looks at both). It does not try the request elsewhere.
 */
export function failsOnStatus(policy: FailoverUnit, status: number): boolean {
  const { failOnStatus } = policy;
  return failOnStatus.length > 0 && failOnStatus.includes(status);
}

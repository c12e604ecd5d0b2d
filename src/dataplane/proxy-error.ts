// Everything that can go wrong with a request, in one table: the status the client gets, whose fault
// it is, how far the request had come, and whether another attempt is safe. docs/errors.md is compared
// with this table by a test. The client is told the code's reason and nothing about members.
import { MEMBER_FAULTS, type MemberFault, type Retry } from '../balancer/failover.ts';
import { type WireErrorCode, refusalReason, refusalStatus } from '../wire/wire-error.ts';

/** Who is to blame. */
export type Blame = 'client' | 'member' | 'us';

/** How far the attempt had come: before it (`match`), or its last step. */
export type Phase = 'match' | 'connect' | 'send' | 'head' | 'body';

interface ProxyErrorKind {
  /** 0: no answer can be made any more, the connection is cut. */
  readonly status: number;
  readonly blame: Blame;
  readonly phase: Phase;
  readonly retry: Retry;
  /** One sentence for the client, without a full stop. */
  readonly reason: string;
}

function kind(status: number, blame: Blame, phase: Phase, retry: Retry, reason: string): ProxyErrorKind {
  return { status, blame, phase, retry, reason };
}

/** What failover says of it is the one truth: status and retry come from there. */
function membersFault(fault: MemberFault, phase: Phase, reason: string): ProxyErrorKind {
  const { status, retry } = MEMBER_FAULTS[fault];
  return { status, blame: fault === 'client-gone' ? 'client' : 'member', phase, retry, reason };
}

export const PROXY_ERRORS = {
  'no-rule': kind(404, 'client', 'match', 'never', 'No rule leads this request anywhere'),
  'bad-path': kind(400, 'client', 'match', 'never', 'The path cannot be decoded'),
  'ambiguous-path': kind(400, 'client', 'match', 'never', 'The path can be read in two ways'),
  'request-timeout': kind(408, 'client', 'match', 'never', 'The request did not arrive in time'),
  'body-too-large': kind(413, 'client', 'send', 'never', 'The request body is too large'),
  'bad-request-body': kind(400, 'client', 'send', 'never', 'The request body is malformed'),
  'bad-max-forwards': kind(400, 'client', 'match', 'never', 'The Max-Forwards header is not one decimal number'),
  loop: kind(508, 'us', 'match', 'never', 'The request came back to where it had been'),
  'client-gone': membersFault('client-gone', 'body', 'The client went away'),
  'out-of-sockets': kind(503, 'us', 'connect', 'never', 'No connection to a member can be made now'),
  'no-member': kind(503, 'us', 'connect', 'never', 'No member can serve this request now'),
  'session-member-down': kind(503, 'us', 'connect', 'never', 'The session cannot be served now'),
  'session-not-found': kind(404, 'us', 'connect', 'never', 'The session is not known any more'),
  'session-gone': kind(410, 'us', 'connect', 'never', 'The session is over'),
  'connect-refused': membersFault('connect-refused', 'connect', 'No member can serve this request now'),
  'connect-timeout': membersFault('connect-timeout', 'connect', 'No member can serve this request now'),
  'name-not-resolved': membersFault('name-not-resolved', 'connect', 'No member can serve this request now'),
  'member-not-allowed': membersFault('member-not-allowed', 'connect', 'No member can serve this request now'),
  'closed-before-head': membersFault(
    'closed-before-head',
    'head',
    'The member closed the connection without an answer',
  ),
  'response-timeout': membersFault('response-timeout', 'head', 'The member did not answer in time'),
  'bad-response-head': membersFault('bad-response-head', 'head', 'The answer of the member is malformed'),
  'response-cut': membersFault('response-cut', 'body', 'The answer of the member broke off'),
  'upgrade-failed': membersFault('upgrade-failed', 'head', 'The member did not take the upgrade'),
  'tunnel-idle': kind(0, 'us', 'body', 'never', 'The tunnel was idle for too long'),
  'drain-over': kind(0, 'us', 'body', 'never', 'The drain of the member of the tunnel is over'),
} as const satisfies Record<string, ProxyErrorKind>;

/** The closed list of codes. */
export type ProxyErrorCode = keyof typeof PROXY_ERRORS;

/** A fault of a request: a code of the table, or a refusal of the wire, which is always the client's fault. */
export type RequestFault = ProxyErrorCode | WireErrorCode;

export function statusOf(fault: RequestFault): number {
  return fault in PROXY_ERRORS ? PROXY_ERRORS[fault as ProxyErrorCode].status : refusalStatus(fault as WireErrorCode);
}

export function reasonOf(fault: RequestFault): string {
  return fault in PROXY_ERRORS ? PROXY_ERRORS[fault as ProxyErrorCode].reason : refusalReason(fault as WireErrorCode);
}

/** Whether the member broke it. */
export function isMembersFault(fault: RequestFault): boolean {
  return fault in PROXY_ERRORS && PROXY_ERRORS[fault as ProxyErrorCode].blame === 'member';
}

/** Whether the client broke the request: it went away, or what it sent was at fault. */
export function isClientsFault(fault: RequestFault): boolean {
  return !(fault in PROXY_ERRORS) || PROXY_ERRORS[fault as ProxyErrorCode].blame === 'client';
}

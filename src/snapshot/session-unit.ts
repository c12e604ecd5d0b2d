// What a lane must know to keep the sessions of one balancer: plain data, part of the snapshot.
// Everything is filled in here; the keys are secrets and must not be logged.

/** Who writes the session route: the application itself, the proxy behind the application's value, or the proxy in a cookie of its own. */
type SessionStrategy = 'Route' | 'Suffix' | 'Insert';

/** Attributes of the cookie that Insert sets (RFC 6265bis §5.6). */
export interface SessionCookieUnit {
  /** Begins with "/". */
  readonly path: string;
  /** '': none, the cookie belongs to the host that was asked. */
  readonly domain: string;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
  /** Auto: when the client came by HTTPS. */
  readonly secure: 'Auto' | 'Always' | 'Never';
  readonly httpOnly: boolean;
  readonly partitioned: boolean;
  /** Milliseconds, sent as whole seconds; null: the cookie ends with the browser. */
  readonly maxAgeMs: number | null;
  /** Whether a response that sets the cookie says `Cache-Control: private`, unless it says so itself (HAProxy's nocache). */
  readonly marksPrivate: boolean;
}

/** How values are signed. */
export interface SessionSigningUnit {
  /** Require: what is not signed is no session. Prefer: it is taken too. */
  readonly mode: 'Prefer' | 'Require';
  /** Base64, each at least 32 bytes; the first signs, all verify. Empty: nothing is signed and nothing verifies. */
  readonly keys: readonly string[];
  /** How long a value is valid, in milliseconds; null: for ever. */
  readonly maxAgeMs: number | null;
}

/** The session rules of one balancer. */
export interface SessionUnit {
  readonly strategy: SessionStrategy;
  /** Names; at least one is not null. Cookie and parameter names are case-sensitive, header names are not. */
  readonly cookie: string | null;
  readonly header: string | null;
  readonly urlParameter: string | null;
  /** One character, or '' under Route: the whole value is the session route. */
  readonly separator: string;
  /** Not null under Insert, null otherwise. */
  readonly attributes: SessionCookieUnit | null;
  /** Null: nothing is signed. */
  readonly signing: SessionSigningUnit | null;
  /** What becomes of a session whose member is out of use (Reject: httpd's nofailover=On). */
  readonly onMemberDown: 'Redispatch' | 'Reject';
  /** The status under Reject: 503, 404 or 410. */
  readonly rejectStatus: number;
  /** Whether the member is told of the session, in headers. */
  readonly informsMember: boolean;
}

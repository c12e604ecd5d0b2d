// The time for the header Date (RFC 9110 §6.6.1), as text that is made once a second at most.
let second = Number.NaN;
let text = '';

/** `wallMs`: milliseconds since the epoch. */
export function httpDate(wallMs: number): string {
  const now = Math.floor(wallMs / 1000);
  if (now !== second) {
    second = now;
    text = new Date(now * 1000).toUTCString();
  }
  return text;
}

// A WebSocket through a lane whose both ends a test holds.
import type { LaneHarness } from '../../helpers/lane-harness.ts';
import type { RawMember } from '../../helpers/raw-member.ts';
import type { RawSocket } from '../../helpers/raw-socket.ts';
import { get } from './stage-messages.ts';

/** Header lines of a request that asks for a WebSocket. */
export const ASK = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

/** A member's answer to it. */
export const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: upgrade, X-Hop\r\nX-Hop: 1\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-T: \xe9\r\nX-T: 2\r\n\r\n';

/** Opens a tunnel to the member; both ends are at their first byte. */
export async function tunnel(
  lane: LaneHarness,
  member: RawMember,
): Promise<{ readonly client: RawSocket; readonly attempt: RawSocket }> {
  const client = await lane.client();
  client.send(get('/ws', ...ASK));
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(SWITCH);
  await client.take('\r\n\r\n');
  return { client, attempt };
}

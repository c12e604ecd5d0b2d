// How a member of the benchmark answers: as little work as possible, so that it is never what is measured.
// Understands just what proxies send here: whole or split heads, bodies with a length or in chunks.
import type { Socket } from 'node:net';

/** Paths and the bodies that they get. The first letter tells them apart. */
export const BODY_BYTES = { '/small': 129, '/medium': 16_384, '/large': 1_048_576, '/post': 129 } as const;

export type MemberPath = keyof typeof BODY_BYTES;

const LETTER_P = 0x50;
const HEAD_END = Buffer.from('\r\n\r\n');
const CHUNKS_END = Buffer.from('0\r\n\r\n');

function answerOf(bodyBytes: number): Buffer {
  const head =
    'HTTP/1.1 200 OK\r\nServer: member\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n' +
    `Content-Length: ${bodyBytes}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(bodyBytes, 'x')]);
}

const SMALL = answerOf(BODY_BYTES['/small']);
const answers = new Map<number, Buffer>([
  ['m'.charCodeAt(0), answerOf(BODY_BYTES['/medium'])],
  ['l'.charCodeAt(0), answerOf(BODY_BYTES['/large'])],
]);

/** Answers every request that comes in on the socket, until it closes. */
export function serveMember(socket: Socket): void {
  let held: Buffer | null = null;
  /** Bytes of a request body that are still to come; -1: until its last chunk. */
  let missingBytes = 0;

  const takeBody = (bytes: Buffer): Buffer | null => {
    if (missingBytes === -1) {
      if (!bytes.subarray(-CHUNKS_END.length).equals(CHUNKS_END)) return null;
      missingBytes = 0;
      socket.write(SMALL);
      return null;
    }
    if (bytes.length < missingBytes) {
      missingBytes -= bytes.length;
      return null;
    }
    const rest = bytes.subarray(missingBytes);
    missingBytes = 0;
    socket.write(SMALL);
    return rest.length > 0 ? rest : null;
  };

  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    let bytes: Buffer | null = held === null ? chunk : Buffer.concat([held, chunk]);
    held = null;
    while (bytes !== null) {
      if (missingBytes !== 0) {
        bytes = takeBody(bytes);
        continue;
      }
      const headEnd: number = bytes.indexOf(HEAD_END);
      if (headEnd === -1) {
        held = bytes;
        return;
      }
      const bodyStart: number = headEnd + HEAD_END.length;
      if (bytes[0] === LETTER_P) {
        missingBytes = bodyBytesOf(bytes.toString('latin1', 0, headEnd));
        if (missingBytes === 0) socket.write(SMALL);
      } else {
        // "GET /" is five bytes long.
        socket.write(answers.get(bytes[5]!) ?? SMALL);
      }
      bytes = bodyStart < bytes.length ? bytes.subarray(bodyStart) : null;
    }
  });
}

function bodyBytesOf(head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  return length === null ? -1 : Number(length[1]);
}

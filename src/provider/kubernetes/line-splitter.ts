// Bytes as they come from a socket → whole lines. A character or a line may be spread over any number of chunks.

export interface LineSplitter {
  /** The lines that end in this chunk, without their ends; empty lines are left out. Throws RangeError when one is too long. */
  push(chunk: Buffer): readonly string[];
  /** What came after the last line end. */
  rest(): string;
}

/** `maxBytes`: the longest line that is taken. Work and memory are proportional to the bytes, however they are cut. */
export function createLineSplitter(maxBytes: number): LineSplitter {
  let pieces: Buffer[] = [];
  let length = 0;

  const keep = (piece: Buffer): void => {
    length += piece.length;
    if (length > maxBytes) throw new RangeError(`a line is longer than ${maxBytes} bytes`);
    if (piece.length > 0) pieces.push(piece);
  };
  const take = (): string => {
    // Decoded only when whole, so that no character is cut in two.
    const text = (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)).toString('utf8');
    pieces = [];
    length = 0;
    return text;
  };

  return {
    push(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        keep(chunk.subarray(start, end));
        const line = take().trim();
        if (line !== '') lines.push(line);
        start = end + 1;
      }
      keep(chunk.subarray(start));
      return lines;
    },
    rest: () => take().trim(),
  };
}

// The header lines of a message, as far as sessions look at them. What reads heads off the wire satisfies this by its
// shape; nothing here knows how.

/** Lines by index; offsets are into `text`, one character per octet (latin1). Need not outlive a call. */
export interface HeadLines {
  /** Made when it is asked for, so not to be asked for where no line is of interest. */
  readonly text: string;
  /** Index of the first line with the name `lowerName` (lower case) at or after `from`, or -1. */
  findName(lowerName: string, from?: number): number;
  /** Without the white space around the value. */
  valueStart(index: number): number;
  valueEnd(index: number): number;
}

/** New values by index of the line; null: the line is left out. */
export type LineEdits = Map<number, string | null>;

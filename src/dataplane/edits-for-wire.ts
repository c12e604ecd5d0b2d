// Takes changes of a head that the story asked for to the wire, whose writer accepts checked text only. What they are made
// of came through the wire's own parser or from our own code, so a value that fails the check is our mistake.
import {
  checkFieldValue,
  checkTarget,
  type FieldText,
  fieldLine,
  joinFieldText,
  noFieldText,
  type TargetText,
} from '../wire/field-text.ts';
import type { FieldEdits } from '../wire/head-writer.ts';
import type { AddedLines, LineEdits } from './exchange.ts';

export function editsForWire(edits: LineEdits | null): FieldEdits | null {
  if (edits === null) return null;
  for (const value of edits.values()) if (value !== null) checkFieldValue(value);
  return edits as FieldEdits;
}

export function linesForWire(added: AddedLines): FieldText {
  let lines = noFieldText;
  for (const [name, value] of added) lines = joinFieldText(lines, fieldLine(name, value));
  return lines;
}

export function targetForWire(target: string | null): TargetText | null {
  return target === null ? null : checkTarget(target);
}

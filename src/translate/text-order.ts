// One order of texts everywhere in translation: by UTF-16 code units, the same on every machine.
// Not localeCompare, which depends on the machine's language and is slow.

export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

// What an importer says of the lines that it read: a line without a finding was carried over as it is.

/**
 * `lost`: the line meant something that the result does not do. `changed`: it is carried over, and something about it
 * differs. `skipped`: it has no bearing on how requests are balanced.
 */
export type Weight = 'lost' | 'changed' | 'skipped';

/** Where a line stands. */
export interface SourceLine {
  /** As the user named it, or as an Include did. */
  readonly file: string;
  /** From 1; the first one of a line that is continued. */
  readonly line: number;
}

export interface Finding {
  readonly weight: Weight;
  readonly at: SourceLine;
  /** What stands there, shortened; for people. */
  readonly subject: string;
  /** Why, and what to do about it: a sentence without a full stop. */
  readonly message: string;
}

const maxSubjectLength = 80;

/** Takes findings down in the order in which they come; the same one of the same line once. */
export class FindingLog {
  readonly #findings = new Map<string, Finding>();

  add(weight: Weight, at: SourceLine, subject: string, message: string): void {
    const short = subject.length > maxSubjectLength ? `${subject.slice(0, maxSubjectLength - 1)}…` : subject;
    const finding = { weight, at: { file: at.file, line: at.line }, subject: short, message };
    this.#findings.set([weight, at.file, at.line, message].join('\n'), finding);
  }

  /** All of them, by file in order of appearance, then by line. */
  all(): readonly Finding[] {
    const findings = [...this.#findings.values()];
    const files = [...new Set(findings.map(({ at }) => at.file))];
    return findings.sort((a, b) => files.indexOf(a.at.file) - files.indexOf(b.at.file) || a.at.line - b.at.line);
  }
}

/** `httpd.conf:12: lost: ProxyErrorOverride On: pages of …`. */
export function formatFinding({ weight, at, subject, message }: Finding): string {
  return `${at.file}:${at.line}: ${weight}: ${subject}: ${message}`;
}

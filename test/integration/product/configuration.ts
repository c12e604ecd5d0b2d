// Files for the product to serve, each in a folder of its own that ends with the block that holds it.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NamedMember } from './named-member.ts';

export class Configuration implements Disposable {
  readonly folder: string;
  readonly path: string;

  constructor(text: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'evenkeel-test-'));
    this.path = join(this.folder, 'balancer.yaml');
    this.write(text);
  }

  /** Replaces the file as editors do: a new one is renamed over it. */
  write(text: string): void {
    const next = join(this.folder, '.next');
    writeFileSync(next, text);
    renameSync(next, this.path);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A Balancer over these members, with load factors in the same order where they are given. */
export function balancerOf(members: readonly NamedMember[], loadFactors: readonly number[] = []): string {
  const lines = members.map(({ name, url }, index) => {
    const factor = loadFactors[index];
    return `    - { url: "${url}", route: ${name}${factor === undefined ? '' : `, loadFactor: ${factor}`} }\n`;
  });
  return `apiVersion: evenkeel.dev/v1alpha1\nkind: Balancer\nmetadata: { name: test }\nspec:\n  members:\n${lines.join('')}`;
}

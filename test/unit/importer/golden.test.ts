// Golden pairs: each FORMAT/NAME.conf or .yaml is imported, and what comes out must equal NAME.out.txt beside it: the manifests,
// then what is said of lines. Adding a case is adding a file; UPDATE_GOLDEN=1 writes the outputs: read the difference.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseResource } from '../../../src/api/parse.ts';
import { formatFinding } from '../../../src/importer/finding.ts';
import { importIngressNginx } from '../../../src/importer/ingress-nginx/import-ingress-nginx.ts';
import { renderManifests } from '../../../src/importer/manifest.ts';
import { importText } from './import-text.ts';

const isUpdating = process.env.UPDATE_GOLDEN === '1';
const cases = ['httpd', 'ingress-nginx'].flatMap((format) =>
  readdirSync(join(import.meta.dirname, format))
    .filter((name) => /\.(conf|yaml)$/.test(name))
    .map((name) => `${format}/${name}`),
);

test.each(cases)('%s', (name) => {
  const text = readFileSync(join(import.meta.dirname, name), 'utf8');
  const outPath = join(import.meta.dirname, name.replace(/\.(conf|yaml)$/, '.out.txt'));
  const { manifests, findings } = name.startsWith('httpd/')
    ? importText({ [name]: text })
    : importIngresses(name, text);
  const actual = `${manifests}---\n${findings.map((line) => `# ${line}\n`).join('')}`;
  if (isUpdating) writeFileSync(outPath, actual);
  expect(existsSync(outPath), `${outPath} is missing; run with UPDATE_GOLDEN=1`).toBe(true);
  expect(actual).toBe(readFileSync(outPath, 'utf8'));
  for (const document of parseAllDocuments(manifests)) {
    const value: unknown = document.toJS();
    if (value !== null) expect(parseResource(value).problems).toBeUndefined();
  }
  // Each line that is lost or changed is told with where it stands.
  for (const line of findings) expect(line).toMatch(/^[^:]+:[0-9]+: (lost|changed|skipped): /);
});

function importIngresses(path: string, text: string) {
  const { drafts, findings } = importIngressNginx([{ path, text }], { namespace: null, className: null });
  return { manifests: renderManifests(drafts), findings: findings.map(formatFinding) };
}

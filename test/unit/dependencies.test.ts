// What strangers take in with us: licences, scripts that would run while it is installed, and versions that stand in
// more than one place.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const { packages } = JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, Locked>> };
const dependencies = Object.entries(packages).filter(([path]) => path !== '');
const own = JSON.parse(read('package.json')) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** Licences that ask for nothing but their own text to be kept. */
const permissive = ['MIT', 'MIT OR Apache-2.0', 'Apache-2.0', 'ISC', '0BSD', 'BSD-3-Clause', 'PSF-2.0', 'Unlicense'];
/** Of tools only, which are not shipped: a licence that asks for changes to its own files to be published. */
const forTools = [...permissive, 'MPL-2.0'];

describe('dependencies', () => {
  it.each(dependencies)('%s has a licence that lets us ship it', (_, { license, dev }) => {
    expect(dev === true ? forTools : permissive).toContain(license);
  });

  it('run nothing while they are installed', () => {
    const scripted = dependencies.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
    expect(scripted).toEqual([]);
  });

  it('that are our own choice are pinned, and each has its line in the README', () => {
    const readme = read('README.md');
    for (const [name, version] of Object.entries({ ...own.dependencies, ...own.devDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      // Types belong to what they are types of.
      if (!name.startsWith('@types/')) expect(readme, `${name} in the table of the README`).toContain(name);
    }
  });
});

it('the version of package.json is that of the chart and of the image', () => {
  const chart = parse(read('charts/evenkeel/Chart.yaml')) as { readonly version: string; readonly appVersion: string };
  expect(chart).toMatchObject({ version: own.version, appVersion: own.version });
  expect(read('Dockerfile')).toContain(`ARG VERSION=${own.version}\n`);
  expect(read('CHANGELOG.md')).toMatch(/^## \[(Unreleased|\d+\.\d+\.\d+)\]/m);
});

// Imports configurations of httpd that are given as text; paths are names of texts.
import { formatFinding } from '../../../src/importer/finding.ts';
import { type ImportOptions, importHttpd } from '../../../src/importer/httpd/import-httpd.ts';
import { renderManifests } from '../../../src/importer/manifest.ts';

export type Texts = Readonly<Record<string, string>>;

/** Reads the first text; the others are there to be included. */
export function importText(texts: Texts, options: Partial<ImportOptions> = {}) {
  const matches = (pattern: string, path: string): boolean => {
    const expression = pattern.replaceAll(/[.+]/g, '\\$&').replaceAll('*', '[^/]*');
    return new RegExp(`^${expression}$`).test(path);
  };
  const [first = ''] = Object.keys(texts);
  const { drafts, findings } = importHttpd([first], {
    files: {
      read(path) {
        const text = texts[path];
        if (text === undefined) throw new Error(`cannot read ${path}`);
        return text;
      },
      find: (pattern) => Object.keys(texts).filter((path) => matches(pattern, path)),
      resolve: (folder, path) => (path.startsWith('/') || folder === '' ? path : `${folder}/${path}`),
      folderOf: (path) => path.split('/').slice(0, -1).join('/'),
    },
    defines: new Map(),
    services: new Map(),
    namespace: null,
    className: null,
    ...options,
  });
  return { drafts, manifests: renderManifests(drafts), findings: findings.map(formatFinding) };
}

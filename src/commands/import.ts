// The command `import`: Balancers on standard output, what is to be said of the lines that were read on standard error.
// The importers themselves touch no file; they get theirs through what stands here.
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { formatFinding } from '../importer/finding.ts';
import type { ConfigFiles } from '../importer/httpd/directive-tree.ts';
import { importHttpd } from '../importer/httpd/import-httpd.ts';
import { importIngressNginx } from '../importer/ingress-nginx/import-ingress-nginx.ts';
import { renderManifests } from '../importer/manifest.ts';
import { flags, type Options } from '../options.ts';
import { UserError, usageError } from './user-error.ts';

interface Output {
  write(text: string): unknown;
}

/** Resolves with the exit code: 0 if there is a Balancer to show. Throws UserError for files that cannot be read. */
export function importFiles(operands: readonly string[], options: Options, out: Output, report: Output): 0 | 1 {
  const [format, ...paths] = operands;
  if (format !== 'httpd' && format !== 'ingress-nginx') {
    const found = format === undefined ? 'it is missing' : `it is ${JSON.stringify(format)}`;
    throw usageError(`import needs the format first, httpd or ingress-nginx; ${found}`);
  }
  if (paths.length === 0) throw usageError(`import ${format} needs the FILE to read`);
  const namespace = options.importNamespace;
  const className = options.className === flags.className.initial ? null : options.className;
  const { importServices: services, importDefines: defines } = options;
  const { drafts, findings } = readingErrors(() =>
    format === 'httpd'
      ? importHttpd(paths, { files, namespace, className, services, defines })
      : importIngressNginx(
          paths.map((path) => ({ path, text: files.read(path) })),
          { namespace, className },
        ),
  );
  out.write(renderManifests(drafts));
  for (const finding of findings) report.write(`${formatFinding(finding)}\n`);
  const counts = (['lost', 'changed', 'skipped'] as const).map((weight) => {
    return `${findings.filter((finding) => finding.weight === weight).length} ${weight}`;
  });
  report.write(`${drafts.length} ${drafts.length === 1 ? 'Balancer' : 'Balancers'}; lines: ${counts.join(', ')}\n`);
  return drafts.length === 0 ? 1 : 0;
}

function readingErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ReadError) throw new UserError(error.message);
    throw error;
  }
}

class ReadError extends Error {}

/** Far more than any configuration written by people. */
const maxFileBytes = 64 * 1024 * 1024;

const files: ConfigFiles = {
  read(path) {
    try {
      if (statSync(path).size > maxFileBytes) throw new ReadError(`${path} is longer than ${maxFileBytes} bytes`);
      return readFileSync(path, 'utf8');
    } catch (error) {
      if (error instanceof ReadError) throw error;
      throw new ReadError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    }
  },
  find(pattern) {
    const found = /[*?[]/.test(pattern) ? globSync(pattern).sort() : existsSync(pattern) ? [pattern] : [];
    return found.flatMap(filesIn);
  },
  resolve: (folder, path) => (isAbsolute(path) ? normalize(path) : join(folder, path)),
  folderOf: dirname,
};

/** httpd reads every file of a folder that is included, and of the folders in it. */
function filesIn(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

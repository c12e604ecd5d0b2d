// An httpd configuration → Balancers, and what is to be said of its lines. The way: text → tree of directives → what
// httpd would proxy → drafts.
import { type Finding, FindingLog } from '../finding.ts';
import { type BalancerDraft, judgeDraft } from '../manifest.ts';
import { type BalancersOptions, importBalancers } from './balancers.ts';
import { type ConfigFiles, readDirectives } from './directive-tree.ts';
import { readProxyConfig } from './proxy-reader.ts';

export interface ImportOptions extends Pick<BalancersOptions, 'namespace' | 'className' | 'services'> {
  readonly files: ConfigFiles;
  readonly defines: ReadonlyMap<string, string>;
}

export interface Imported {
  readonly drafts: readonly BalancerDraft[];
  readonly findings: readonly Finding[];
}

/** Reads files as one configuration, in order. Throws an Error with a message for people when one cannot be read. */
export function importHttpd(paths: readonly string[], options: ImportOptions): Imported {
  const log = new FindingLog();
  const { files, defines } = options;
  const directives = paths.flatMap((path) => readDirectives(path, { files, defines, log }));
  const drafts = importBalancers(readProxyConfig(directives, log), { ...options, log });
  const good = drafts.filter((draft) => {
    const problems = judgeDraft(draft);
    const [file = '', line = '1'] = draft.origin.split(' of ')[1]?.split(/:(?=[0-9]+$)/) ?? [];
    for (const { message } of problems)
      log.add('lost', { file, line: Number(line) }, `Balancer ${draft.name}`, message);
    return problems.length === 0;
  });
  return { drafts: good, findings: log.all() };
}

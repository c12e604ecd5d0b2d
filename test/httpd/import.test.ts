// What `evenkeel import httpd` makes of a configuration behaves as the httpd that runs on it: the elections of drawn
// configurations again, this time with Balancers that nobody wrote but the importer.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importHttpd } from '../../src/importer/httpd/import-httpd.ts';
import { renderManifests } from '../../src/importer/manifest.ts';
import { virtualHost } from './apache-text.ts';
import { drawStories } from './draw.ts';
import { MAX_BODY_BYTES } from './evenkeel-text.ts';
import { describeMismatch, describeRun } from './report.ts';
import { requireApache } from './require-apache.ts';
import { type FirstWriter, playAll } from './theatre.ts';

const seed = Number(process.env.HTTPD_SEED ?? Math.floor(Math.random() * 2 ** 31));
const count = 100;

/** The virtual host that httpd runs on, with the few lines that the players' probes rely on. */
const importFirst: FirstWriter = (folder, { name, host, story, urls }) => {
  const lines = [`ServerName ${host}`, `ServerAlias v1.${host}`, 'ProxyPreserveHost On'];
  const more = [...lines, `LimitRequestBody ${MAX_BODY_BYTES}`].join('\n');
  // The main server of the file is empty, and this is not the first virtual host either.
  const text = `<VirtualHost *:80>\n</VirtualHost>\n${virtualHost(name, host, story, urls).replace(`ServerName ${host}`, more)}`;
  const { drafts, findings } = importHttpd(['httpd.conf'], {
    files: { read: () => text, find: () => [], resolve: (_, path) => path, folderOf: () => '' },
    defines: new Map(),
    services: new Map(),
    namespace: null,
    className: null,
  });
  // Paths of httpd's own pages; everything else is carried over.
  const lost = findings.filter(({ weight, subject }) => weight === 'lost' && !/^(ProxyPass|SetHandler) /.test(subject));
  expect(lost, text).toEqual([]);
  expect(drafts).toHaveLength(1);
  writeFileSync(join(folder, `${name}.yaml`), renderManifests(drafts));
};

test(`${count} drawn configurations, imported: each election is that of httpd, but for the differences by name`, async (context) => {
  const home = requireApache(context);
  const stories = drawStories(seed, count);
  const startMs = performance.now();
  const judgements = await playAll(home, stories, importFirst);
  console.info(describeRun(seed, home, judgements, performance.now() - startMs));
  const failed = judgements.findIndex(({ mismatch }) => mismatch !== null);
  if (failed !== -1) expect.fail(`HTTPD_SEED=${seed}\n${describeMismatch(stories[failed]!, judgements[failed]!)}`);
}, 300_000);

// Short documents for provider tests, and readings put together from texts instead of files.
import { composeReading, type FileReading, type Source } from '../../../src/provider/file/file-reading.ts';

/** A Balancer with one member; `extra` goes into the spec as it is. */
export function balancerText(name: string, url = 'http://a', extra = ''): string {
  return [
    'apiVersion: evenkeel.dev/v1alpha1',
    'kind: Balancer',
    `metadata: { name: ${name}, namespace: shop }`,
    'spec:',
    '  members:',
    `    - url: ${url}`,
    ...(extra === '' ? [] : [`  ${extra}`]),
    '',
  ].join('\n');
}

export function joined(...documents: readonly string[]): string {
  return documents.join('---\n');
}

/** A reading of texts by path, after `before`. */
export function readTexts(texts: Readonly<Record<string, string>>, before: FileReading | null = null): FileReading {
  const sources = Object.entries(texts).map(([path, text]): Source => ({ type: 'text', path, text }));
  return composeReading(sources, before);
}

/** URLs of the members of what is served, by the name of the Balancer. */
export function servedUrls(reading: Pick<FileReading, 'resources'>): Record<string, string | undefined> {
  const entries = [...reading.resources.balancers.values()].map(({ balancer }) => [
    balancer.metadata.name,
    balancer.spec.members[0]?.url,
  ]);
  return Object.fromEntries(entries) as Record<string, string | undefined>;
}

/** `file:line:column path` of each problem. */
export function placesOf(reading: FileReading): string[] {
  return reading.problems.map(({ problem, location }) =>
    [location === null ? 'nowhere' : `${location.file}:${location.line}:${location.column}`, problem.path]
      .join(' ')
      .trim(),
  );
}

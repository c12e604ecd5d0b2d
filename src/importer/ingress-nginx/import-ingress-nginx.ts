// Ingresses with annotations of ingress-nginx → Balancers, one for each Service that an Ingress leads to, and what is to
// be said of what has no equivalent.
import { type Ingress, type IngressBackend, parseIngress } from '../../api/ingress.ts';
import { parseYamlText } from '../../provider/file/yaml-text.ts';
import { formatDuration } from '../duration-text.ts';
import { type Finding, FindingLog, type Weight } from '../finding.ts';
import { type BalancerDraft, claimName, type Fields, judgeDraft } from '../manifest.ts';
import { annotationPrefix, remarkOnAnnotation } from './annotations.ts';
import { type AnnotationReader, stickyCookieOf } from './sticky-cookie.ts';

export interface IngressFile {
  readonly path: string;
  readonly text: string;
}

export interface IngressOptions {
  /** In place of the namespaces of the Ingresses; null: theirs. */
  readonly namespace: string | null;
  readonly className: string | null;
}

interface Imported {
  readonly drafts: readonly BalancerDraft[];
  readonly findings: readonly Finding[];
}

/** One Ingress, where it stands, and how things are said of it. */
interface Entry {
  readonly ingress: Ingress;
  readonly origin: string;
  readonly say: (weight: Weight, subject: string, message: string, steps: readonly (string | number)[]) => void;
}

/** Reads what `kubectl get ingress -o yaml` prints, and manifests. Documents of other kinds are left alone. */
export function importIngressNginx(files: readonly IngressFile[], options: IngressOptions): Imported {
  const log = new FindingLog();
  const taken = new Map<string, Set<string>>();
  const drafts: BalancerDraft[] = [];
  for (const { path, text } of files) {
    const { documents, faults } = parseYamlText(text);
    for (const { line, message } of faults) log.add('lost', { file: path, line }, 'document', message);
    for (const { value, place, locate } of documents) {
      if ((value as { readonly kind?: unknown }).kind !== 'Ingress') continue;
      const ingress = parseIngress(value);
      if (typeof ingress === 'string') {
        log.add('lost', { file: path, line: place.line }, 'Ingress', ingress);
        continue;
      }
      const { name, namespace = '' } = ingress.metadata;
      const say: Entry['say'] = (weight, subject, message, steps) =>
        log.add(weight, { file: path, line: locate(steps).line }, `${name}: ${subject}`, message);
      const names = taken.get(namespace) ?? new Set();
      taken.set(namespace, names);
      const entry = { ingress, say, origin: `Ingress ${name} of ${path}:${place.line}` };
      drafts.push(...draftsOf(entry, names, options));
    }
  }
  return { drafts, findings: log.all() };
}

/** Paths of the hosts that lead to one Service. */
interface Backend {
  readonly service: string;
  readonly port: string | number;
  readonly rules: { readonly host: string; readonly paths: Fields[] }[];
}

function draftsOf(entry: Entry, names: Set<string>, options: IngressOptions): readonly BalancerDraft[] {
  const { ingress, origin, say } = entry;
  const { metadata, spec } = ingress;
  const className = spec.ingressClassName ?? metadata.annotations['kubernetes.io/ingress.class'];
  if (className !== undefined && !className.includes('nginx')) {
    say('skipped', 'ingressClassName', `class ${className} is not that of ingress-nginx`, ['spec', 'ingressClassName']);
    return [];
  }
  const annotations = readerOf(entry);
  if (annotations.get('canary') === 'true') {
    annotations.say('lost', 'canary', 'there are no canaries; the Ingress is left out');
    return [];
  }
  const backends = backendsOf(entry);
  const drafts = backends.flatMap((backend, index): BalancerDraft[] => {
    const { service, port } = backend;
    const paths = new Set(backend.rules.flatMap(({ paths: listed }) => listed.map(({ value }) => String(value))));
    const [path = '/'] = paths;
    const hosts = serverAliases(annotations);
    const draft = {
      name: claimName(backends.length === 1 ? metadata.name : `${metadata.name}-${service}`, names),
      namespace: options.namespace ?? metadata.namespace ?? null,
      origin,
      spec: {
        className: options.className ?? undefined,
        rules: rulesOf(backend, hosts),
        tls: tlsOf(entry),
        ...methodOf(annotations),
        members: [{ service: { name: service, port } }],
        stickySession: stickyCookieOf(annotations, paths.size === 1 ? path : null, index === 0 ? '' : `_${service}`),
        failover: failoverOf(annotations),
        timeouts: timeoutsOf(annotations),
        limits: limitsOf(annotations),
      },
    };
    const problems = judgeDraft(draft);
    for (const { message } of problems) say('lost', `Service ${service}`, message, []);
    return problems.length === 0 ? [draft] : [];
  });
  for (const key of Object.keys(metadata.annotations)) {
    if (!key.startsWith(annotationPrefix)) continue;
    const short = key.slice(annotationPrefix.length);
    if (understood.test(short)) continue;
    const { weight, message } = remarkOnAnnotation(short);
    say(weight, short, message, ['metadata', 'annotations', key]);
  }
  return drafts;
}

const understood =
  /^(affinity|affinity-mode|session-cookie-.*|load-balance|upstream-hash-by|upstream-hash-by-subset.*|proxy-(connect|read|send)-timeout|proxy-body-size|proxy-next-upstream.*|server-alias|canary)$/;

function readerOf({ ingress, say }: Entry): AnnotationReader {
  const { annotations } = ingress.metadata;
  return {
    get: (key) => annotations[`${annotationPrefix}${key}`],
    say: (weight, key, message) => say(weight, key, message, ['metadata', 'annotations', `${annotationPrefix}${key}`]),
  };
}

function backendsOf(entry: Entry): readonly Backend[] {
  const { spec } = entry.ingress;
  const backends = new Map<string, Backend>();
  const add = (
    backend: IngressBackend,
    host: string,
    path: Fields | null,
    steps: readonly (string | number)[],
  ): void => {
    const { service } = backend;
    const port = service?.port.name ?? service?.port.number;
    if (service === undefined || port === undefined) {
      entry.say('lost', 'backend', 'only Services with a port are members', steps);
      return;
    }
    const key = `${service.name}:${port}`;
    const known = backends.get(key) ?? { service: service.name, port, rules: [] };
    backends.set(key, known);
    const rule = known.rules.find((candidate) => candidate.host === host);
    const paths = path === null ? [] : [path];
    if (rule === undefined) known.rules.push({ host, paths });
    else rule.paths.push(...paths);
  };
  for (const [index, { host, http }] of spec.rules.entries()) {
    for (const [at, { path, pathType, backend }] of (http?.paths ?? []).entries()) {
      const steps = ['spec', 'rules', index, 'http', 'paths', at];
      if (/[^A-Za-z0-9/._~!@:=,-]/.test(path)) {
        entry.say(
          'lost',
          path,
          'regular expressions are no paths of a rule; write rules for what it stands for',
          steps,
        );
        continue;
      }
      if (pathType === 'ImplementationSpecific' && path !== '/') {
        entry.say('changed', path, 'it is a prefix by whole segments here: /app takes /app/x and not /apple', steps);
      }
      const value = path === '/' ? '/' : path.replace(/\/+$/, '');
      add(backend, host, pathType === 'Exact' ? { type: 'Exact', value: path } : { value }, steps);
    }
  }
  if (spec.defaultBackend !== undefined) add(spec.defaultBackend, '', null, ['spec', 'defaultBackend']);
  return [...backends.values()];
}

function rulesOf({ rules }: Backend, aliases: readonly string[]): readonly Fields[] | undefined {
  const fields = rules.map(({ host, paths }): Fields => {
    const isEverything = paths.length === 0 || (paths.length === 1 && paths[0]?.value === '/' && !paths[0].type);
    return { hosts: host === '' ? undefined : [host, ...aliases], paths: isEverything ? undefined : paths };
  });
  const [only] = fields;
  return fields.length === 1 && only?.hosts === undefined && only?.paths === undefined ? undefined : fields;
}

function serverAliases(annotations: AnnotationReader): readonly string[] {
  const names = (annotations.get('server-alias') ?? '').split(',').map((name) => name.trim().toLowerCase());
  return names.filter((name) => {
    const isHost = /^(\*\.)?[a-z0-9][a-z0-9.-]*$/.test(name);
    if (name !== '' && !isHost) annotations.say('lost', 'server-alias', `no rule can have the host ${name}`);
    return isHost;
  });
}

/** Kept in the resource, so that nothing has to be looked up again once TLS is served. */
function tlsOf({ ingress, say }: Entry): readonly Fields[] | undefined {
  const { tls } = ingress.spec;
  if (tls.length === 0) return undefined;
  say('lost', 'tls', 'TLS is not served yet; terminate it in front', ['spec', 'tls']);
  const named = tls.flatMap(({ hosts, secretName }) =>
    secretName === undefined || hosts.length === 0 ? [] : [{ hosts, secretName }],
  );
  return named.length === 0 ? undefined : named;
}

function methodOf(annotations: AnnotationReader): Fields {
  const hashBy = annotations.get('upstream-hash-by');
  if (hashBy !== undefined) {
    const hash = hashOf(hashBy);
    if (hash !== null) return { lbMethod: 'hash', hash };
    annotations.say(
      'lost',
      'upstream-hash-by',
      `${hashBy} is nothing that members can be chosen by; byrequests is used`,
    );
    return {};
  }
  const method = annotations.get('load-balance');
  if (method === undefined || method === 'round_robin') return {};
  if (method === 'ewma') {
    annotations.say('changed', 'load-balance', 'leasttime is used, which prefers members that answer soon as well');
    return { lbMethod: 'leasttime' };
  }
  annotations.say('lost', 'load-balance', `there is no method ${method}; byrequests is used`);
  return {};
}

function hashOf(variable: string): Fields | null {
  if (/^\$(\{)?(binary_)?remote_addr\}?$/.test(variable)) return { source: 'ClientAddress' };
  const [, kind, name = ''] = /^\$\{?(http|cookie|arg)_([A-Za-z0-9_]+)\}?$/.exec(variable) ?? [];
  if (kind === 'http') return { source: 'Header', name: name.replaceAll('_', '-') };
  if (kind === 'cookie') return { source: 'Cookie', name };
  return kind === 'arg' ? { source: 'UrlParameter', name } : null;
}

function failoverOf(annotations: AnnotationReader): Fields {
  const tries = annotations.get('proxy-next-upstream-tries');
  const conditions = annotations.get('proxy-next-upstream');
  if (conditions === 'off') return { maxAttempts: 0 };
  if (conditions !== undefined && conditions !== 'error timeout') {
    const message =
      'another member is tried when one cannot be reached, or closes; statuses put a member to rest (failOnStatus)';
    annotations.say('changed', 'proxy-next-upstream', message);
  }
  if (annotations.get('proxy-next-upstream-timeout') !== undefined) {
    annotations.say('lost', 'proxy-next-upstream-timeout', 'all tries together have no time limit of their own');
  }
  // 0 means no limit there; here the number of members is one.
  return { maxAttempts: tries !== undefined && /^[1-9][0-9]?$/.test(tries) ? Number(tries) - 1 : undefined };
}

function timeoutsOf(annotations: AnnotationReader): Fields {
  const seconds = (key: string, usual: number): string | undefined => {
    const text = annotations.get(key);
    if (text === undefined || !/^[1-9][0-9]{0,4}$/.test(text) || Number(text) === usual) return undefined;
    return formatDuration(Number(text) * 1000);
  };
  const read = seconds('proxy-read-timeout', 60);
  return {
    connect: seconds('proxy-connect-timeout', 5),
    response: read,
    body: read ?? seconds('proxy-send-timeout', 60),
  };
}

/** `8m` in bytes; `0` means no limit. What is not given is 1m there. */
function limitsOf(annotations: AnnotationReader): Fields {
  const text = annotations.get('proxy-body-size') ?? '1m';
  const [, number = '', unit = ''] = /^([0-9]{1,12})([kmg]?)$/i.exec(text.trim()) ?? [];
  if (number === '') {
    annotations.say('lost', 'proxy-body-size', `${text} is no size`);
    return {};
  }
  const bytes =
    Number(number) * { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.toLowerCase() as '' | 'k' | 'm' | 'g'];
  return { maxBodyBytes: bytes > 0 ? bytes : undefined };
}

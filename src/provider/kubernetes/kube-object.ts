// An object as the API server sends it, known only as far as every kind has it. What it says beyond is parsed in api/.

export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** A page of a list. */
export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Token of the next page; empty on the last one. */
  readonly next: string;
}

export function isKubeObject(value: unknown): value is KubeObject {
  return isRecord(value) && isRecord(value.metadata) && typeof value.metadata.name === 'string';
}

/** The resourceVersion of any object, such as that of a bookmark; empty: it has none. */
export function resourceVersionOf(value: unknown): string {
  const metadata = isRecord(value) && isRecord(value.metadata) ? value.metadata : {};
  return typeof metadata.resourceVersion === 'string' ? metadata.resourceVersion : '';
}

/** Undefined for what is no list. Items that are no objects are left out. */
export function readListPage(value: unknown): ListPage | undefined {
  if (!isRecord(value) || !isRecord(value.metadata)) return undefined;
  const items: unknown = value.items ?? [];
  const resourceVersion = resourceVersionOf(value);
  if (!Array.isArray(items) || resourceVersion === '') return undefined;
  const next = typeof value.metadata.continue === 'string' ? value.metadata.continue : '';
  return { items: items.filter(isKubeObject), resourceVersion, next };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Documents that the tests of this folder start from.

/** A document of a Balancer with this spec. */
export function balancerDocument(spec: unknown): Record<string, unknown> {
  return { apiVersion: 'evenkeel.dev/v1alpha1', kind: 'Balancer', metadata: { name: 'shop', namespace: 'web' }, spec };
}

/** The smallest spec with these fields added. */
export function specWith(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { members: [{ url: 'http://a' }], ...fields };
}

/** A spec with one member of these fields. */
export function specWithMember(member: unknown): Record<string, unknown> {
  return { members: [member] };
}

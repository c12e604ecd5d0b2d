// One Balancer before two judges: the API server with the CRD, and the product's own validation of files.
import { parseResource } from '../../src/api/parse.ts';
import { type ApiClient, Refusal } from './api-client.ts';
import { balancerNamed } from './objects.ts';

export interface Verdicts {
  /** What the API server says; null: it accepts. */
  readonly server: Refusal | null;
  /** What we say; null: we accept. */
  readonly own: string | null;
}

/** Has the API server judge a spec without keeping it. */
export async function judge(client: ApiClient, spec: unknown): Promise<Verdicts> {
  const document = balancerNamed('default', 'judged', spec as Readonly<Record<string, unknown>>);
  // Both must see the same: JSON has no undefined and no -0.
  const sent = JSON.parse(JSON.stringify(document)) as typeof document;
  const { problems } = parseResource(sent);
  const own = problems === undefined ? null : problems.map(({ message }) => message).join('; ');
  try {
    await client.create(sent, { dryRun: true });
    return { server: null, own };
  } catch (error) {
    if (!(error instanceof Refusal) || ![400, 422].includes(error.status)) throw error;
    return { server: error, own };
  }
}

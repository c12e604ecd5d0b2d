// The command `crd`: the definition of the kind Balancer, as it is committed and installed.
import { generateFiles } from '../api/generate.ts';

export function crdText(): string {
  const file = generateFiles().find(({ path }) => path.startsWith('crds/'));
  if (file === undefined) throw new Error('the generator makes no CRD');
  return file.text;
}

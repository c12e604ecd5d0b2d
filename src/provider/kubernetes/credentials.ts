// What a kubeconfig, or the service account of a pod, comes to. Read in a process of its own (kubeconfig-process.ts).
import { execFile } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Plain data; null: not given. */
export interface Credentials {
  /** URL of the API server. */
  readonly server: string;
  /** Of the pod, or of the kubeconfig's context. */
  readonly namespace: string | null;
  readonly proxyUrl: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM texts. */
  readonly tls: {
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
    readonly passphrase: string | null;
    readonly servername: string | null;
    readonly rejectsUnknown: boolean;
  };
  /** Paths of files that what is above was read from; they change, and what they say then counts. */
  readonly files: {
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
    readonly token: string | null;
  };
  /** False: a command or a service gave them, and they run out some day that is not known here. */
  readonly isLasting: boolean;
}

// Compiled or not, it has the extension of this file.
const entry = fileURLToPath(new URL(`./kubeconfig-process${extname(import.meta.url)}`, import.meta.url));

/** Commands that give credentials may ask a service far away. */
const timeoutMs = 60_000;

/** `source`: a path, `default` or `pod`, whose files are below `root`. Rejects with a message for people. */
export async function readCredentials(
  source: string,
  env: Readonly<Record<string, string | undefined>>,
  root: string,
): Promise<Credentials> {
  const text = await new Promise<string>((resolve, reject) => {
    const options = { env, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
    execFile(process.execPath, [entry, source, root], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`credentials cannot be read: ${stderr.trim().split('\n').at(-1) || error.message}`));
    });
  });
  const found = JSON.parse(text) as Credentials | { readonly fault: string };
  if (!('fault' in found)) return found;
  const name =
    source === 'pod' ? "the pod's service account" : source === 'default' ? 'KUBECONFIG' : `kubeconfig ${source}`;
  throw new Error(`${name} cannot be used: ${found.fault}`);
}

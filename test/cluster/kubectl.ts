// kubectl, as users run it.
import { spawn } from 'node:child_process';

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl to its end, `input` on its standard input. Resolves also when it fails. */
export async function kubectl(kubeconfig: string, args: readonly string[], input = ''): Promise<Said> {
  const child = spawn('kubectl', ['--kubeconfig', kubeconfig, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const { promise, resolve, reject } = Promise.withResolvers<Said>();
  child.once('error', reject);
  child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
  // It may end without having read what it is given.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return promise;
}

// Certificates for tests of TLS, made by openssl as they are needed; good for a day.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certified {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Who signs certificates. */
export class Authority implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'evenkeel-ca-'));
  /** PEM. */
  readonly cert: string;

  constructor(name: string) {
    this.#openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
    );
    this.cert = this.#read('ca.crt');
  }

  /** For a server on 127.0.0.1, or a client. */
  certify(name: string): Certified {
    this.#openssl('req', ...newKey, '-keyout', 'own.key', '-out', 'own.csr', '-subj', `/CN=${name}`);
    writeFileSync(join(this.#folder, 'own.ext'), 'subjectAltName=IP:127.0.0.1\n');
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'own.ext'];
    this.#openssl('x509', '-req', '-in', 'own.csr', '-out', 'own.crt', ...by);
    return { cert: this.#read('own.crt'), key: this.#read('own.key') };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' });
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }
}

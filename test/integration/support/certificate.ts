import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate that has signed itself, and its key, in PEM form. */
export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
}

export async function selfSigned(...names: readonly string[]): Promise<SelfSigned> {
  const dir = await mkdtemp(join(tmpdir(), 'certificate-'));
  const [keyFile, file] = [join(dir, 'key.pem'), join(dir, 'certificate.pem')];
  try {
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-nodes', '-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-keyout', keyFile, '-out', file, '-subj', `/CN=${names[0] ?? ''}`],
      ...['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`],
    ]);
    return { certificate: await readFile(file, 'utf8'), key: await readFile(keyFile, 'utf8') };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

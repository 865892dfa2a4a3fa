import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate that has signed itself, and its key, in PEM form. */
export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
}

export async function selfSigned(...names: readonly string[]): Promise<SelfSigned> {
  return signed({ names, kind: ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'], days: 2 });
}

interface Wanted {
  readonly names: readonly string[];
  /** For `openssl req -newkey`. */
  readonly kind: readonly string[];
  /** From now; less than nothing for one that has expired. */
  readonly days: number;
}

export async function signed({ names, kind, days }: Wanted): Promise<SelfSigned> {
  const dir = await mkdtemp(join(tmpdir(), 'certificate-'));
  const [key, request, extensions, certificate] = ['key', 'request', 'extensions', 'certificate'].map((name) =>
    join(dir, name),
  ) as [string, string, string, string];
  const openssl = (...args: readonly string[]): Promise<unknown> => promisify(execFile)('openssl', args);
  try {
    await writeFile(extensions, `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`);
    const subject = `/CN=${names[0] ?? ''}`;
    await openssl('req', '-new', '-nodes', '-newkey', ...kind, '-keyout', key, '-out', request, '-subj', subject);
    const signing = ['-signkey', key, '-days', String(days), '-extfile', extensions];
    await openssl('x509', '-req', '-in', request, ...signing, '-out', certificate);
    return { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

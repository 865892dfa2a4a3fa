import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate and its key, in PEM form. */
export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
}

export async function selfSigned(...names: readonly string[]): Promise<SelfSigned> {
  return signed({ names, kind: ellipticCurve, days: 2 });
}

const ellipticCurve = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

/** A certificate authority. */
export interface Authority extends SelfSigned {
  /** Certificates for servers and clients; 2 days unless told otherwise. */
  sign(names: readonly string[], days?: number): Promise<SelfSigned>;
}

export async function authority(name: string): Promise<Authority> {
  const own = await signed({ names: [name], kind: ellipticCurve, days: 2, isAuthority: true });
  return { ...own, sign: (names, days = 2) => signed({ names, kind: ellipticCurve, days, by: own }) };
}

interface Wanted {
  /** Host names and IPv4 addresses. */
  readonly names: readonly string[];
  /** For `openssl req -newkey`. */
  readonly kind: readonly string[];
  /** From now; less than nothing for one that has expired. */
  readonly days: number;
  readonly isAuthority?: boolean;
  /** Who signs it; itself unless told otherwise. */
  readonly by?: SelfSigned;
}

export async function signed({ names, kind, days, isAuthority = false, by }: Wanted): Promise<SelfSigned> {
  const dir = await mkdtemp(join(tmpdir(), 'certificate-'));
  const path = (name: string): string => join(dir, name);
  const [key, request, extensions, certificate] = [path('key'), path('request'), path('extensions'), path('own')];
  const openssl = (...args: readonly string[]): Promise<unknown> => promisify(execFile)('openssl', args);
  try {
    const alternatives = names.map((name) => `${isIPv4(name) ? 'IP' : 'DNS'}:${name}`).join(',');
    await writeFile(
      extensions,
      `subjectAltName=${alternatives}\n${isAuthority ? 'basicConstraints=critical,CA:TRUE\n' : ''}`,
    );
    const subject = `/CN=${names[0] ?? ''}`;
    await openssl('req', '-new', '-nodes', '-newkey', ...kind, '-keyout', key, '-out', request, '-subj', subject);
    const signer = ['-signkey', key];
    if (by !== undefined) {
      signer.splice(0, 2, '-CA', path('ca'), '-CAkey', path('ca-key'), '-CAcreateserial');
      await Promise.all([writeFile(path('ca'), by.certificate), writeFile(path('ca-key'), by.key)]);
    }
    const signing = [...signer, '-days', String(days), '-extfile', extensions];
    await openssl('x509', '-req', '-in', request, ...signing, '-out', certificate);
    return { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

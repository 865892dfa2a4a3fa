import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { pairsOf, type Certificate, type FoundFile } from '../core/certificates.js';
import { messageOf } from '../core/errors.js';
import type { CertificateStore } from '../ports/certificate-store.js';

/** Longer ones are no certificates. */
const mostBytes = 256 * 1024;

export interface CertificateDirOptions {
  /** The user's; looked into with its directories, of which certbot has one for each name. */
  readonly dir: string;
  /** Where the copies go, in directories named by their contents. */
  readonly copies: string;
  /** @throws where HAProxy does not take the certificates in this directory */
  readonly check: (directory: string) => Promise<void>;
}

export function createCertificateDir({ dir, copies, check }: CertificateDirOptions): CertificateStore {
  return {
    async read() {
      const { found, unusable } = pairsOf(await filesOf(dir));
      const tried = found.map((one) => ({ one, reason: whyUnusable(one) }));
      return {
        usable: tried.filter(({ reason }) => reason === null).map(({ one }) => one),
        unusable: [
          ...unusable,
          ...tried.flatMap(({ one: { path }, reason }) => (reason === null ? [] : [{ path, reason }])),
        ],
      };
    },

    async stage(certificates) {
      const target = copyOf(certificates, copies);
      if ((await namesIn(copies)).includes(basename(target))) return target;
      const next = `${target}.new`;
      await rm(next, { recursive: true, force: true });
      await writeCopy(certificates, next);
      await check(next);
      await rename(next, target);
      return target;
    },

    async keepOnly(directories) {
      const kept = new Set(directories.map((one) => basename(one)));
      const there = await namesIn(copies);
      await Promise.all(
        there.filter((name) => !kept.has(name)).map((name) => rm(join(copies, name), { recursive: true, force: true })),
      );
    },
  };
}

/** The directory of a copy of these, whose name tells what is in it. */
export function copyOf(certificates: readonly Certificate[], copies: string): string {
  const hash = createHash('sha256');
  for (const { certificate, key } of certificates) hash.update(`${certificate}${key}\0`);
  return join(copies, hash.digest('hex').slice(0, 16));
}

export async function writeCopy(certificates: readonly Certificate[], directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // HAProxy shows the first file's to clients that name no host, or one that it has no certificate for.
  for (const [at, { certificate, key }] of certificates.entries())
    await writeFile(join(directory, `${String(at).padStart(4, '0')}.pem`), certificate + key, { mode: 0o600 });
}

async function namesIn(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return readdir(directory);
}

/** Sorted by path. Symbolic links are followed, as certbot has them. */
async function filesOf(dir: string, below = ''): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  for (const entry of (await readdir(join(dir, below), { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    // Kubernetes' and editors' hidden ones would be there twice.
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory() && below === '') files.push(...(await filesOf(dir, path)));
    else if (!entry.isDirectory() && /\.(?:pem|crt|cert|cer|key)$/.test(entry.name)) {
      const text = await readFile(join(dir, path), 'latin1').catch((error: unknown) => {
        throw new Error(`${join(dir, path)} can't be read: ${messageOf(error)}`, { cause: error });
      });
      if (text.length <= mostBytes) files.push({ path, text });
    }
  }
  return files;
}

/** Why HAProxy would not take it, or null. */
function whyUnusable({ certificate, key }: Certificate): string | null {
  try {
    createSecureContext({ cert: certificate, key });
    return null;
  } catch (error) {
    return `it can't be used with its key: ${messageOf(error)}`;
  }
}

import { makeDirectory } from './directories.js';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { pairsOf, type Certificate, type FoundFile, type UnusableCertificate } from '../core/certificates.js';
import { messageOf } from '../core/errors.js';
import { withoutPosition } from '../core/haproxy/blame.js';
import { ConfigurationRefusedError } from '../ports/proxy.js';
import { forbiddenTo } from './files.js';
import type { CertificateStore } from '../ports/certificate-store.js';

/** Longer ones are no certificates. */
const mostBytes = 256 * 1024;
const wanted = /\.(?:pem|crt|cert|cer|key)$/;

export interface CertificateDirOptions {
  /** The user's; looked into with its directories, of which certbot has one for each name. */
  readonly dir: string;
  /** Where the copies go, in directories named by their contents. */
  readonly copies: string;
  /** @throws where HAProxy does not take the certificates in this directory */
  readonly check: (directory: string) => Promise<void>;
}

export function createCertificateDir({ dir, copies, check }: CertificateDirOptions): CertificateStore {
  /** Why HAProxy does not take one, or null; by its contents, so that each is asked about once. */
  const judged = new Map<string, string | null>();

  const judge = async (certificates: readonly Certificate[]): Promise<void> => {
    const fresh = certificates.filter((one) => !judged.has(hashOf([one])));
    if (fresh.length === 0) return;
    const together = await refusalOf(fresh, check);
    for (const one of fresh) judged.set(hashOf([one]), together === null ? null : await refusalOf([one], check));
  };

  return {
    async read() {
      const { files, unreadable } = await filesOf(dir);
      const { found, unusable } = pairsOf(files);
      const tried = found.map((one) => ({ one, reason: whyUnusable(one) }));
      const sound = tried.filter(({ reason }) => reason === null).map(({ one }) => one);
      await judge(sound);
      const refused = sound.map((one) => ({ one, reason: judged.get(hashOf([one])) ?? null }));
      const usable = refused.filter(({ reason }) => reason === null).map(({ one }) => one);
      const ended = usable.map((one) => ({ one, reason: whyExpired(one) }));
      return {
        usable: [
          ...ended.filter(({ reason }) => reason === null),
          ...ended.filter(({ reason }) => reason !== null),
        ].map(({ one }) => one),
        unusable: [...unreadable, ...unusable, ...reasonsOf(tried), ...reasonsOf(refused)],
        expired: reasonsOf(ended),
      };
    },

    async stage(certificates) {
      const target = copyOf(certificates, copies);
      if ((await namesIn(copies)).includes(basename(target))) return target;
      const next = `${target}.new`;
      await rm(next, { recursive: true, force: true });
      await writeCopy(certificates, next);
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

function reasonsOf(judgements: readonly { one: Certificate; reason: string | null }[]): UnusableCertificate[] {
  return judgements.flatMap(({ one: { path }, reason }) => (reason === null ? [] : [{ path, reason }]));
}

function hashOf(certificates: readonly Certificate[]): string {
  const hash = createHash('sha256');
  for (const { certificate, key } of certificates) hash.update(`${certificate}${key}\0`);
  return hash.digest('hex').slice(0, 16);
}

/** The directory of a copy of these, whose name tells what is in it. */
export function copyOf(certificates: readonly Certificate[], copies: string): string {
  return join(copies, hashOf(certificates));
}

/** In HAProxy's words, without the names of what is only written to ask. */
async function refusalOf(
  certificates: readonly Certificate[],
  check: CertificateDirOptions['check'],
): Promise<string | null> {
  const scratch = await mkdtemp(join(tmpdir(), 'docker-discover-'));
  const directory = join(scratch, 'certs');
  try {
    await writeCopy(certificates, directory);
    await check(directory);
    return null;
  } catch (error) {
    if (!(error instanceof ConfigurationRefusedError)) throw error;
    const words = withoutPosition(error.alerts[0] ?? error.message).replaceAll(/'?\/[^\s']*\.pem'?/g, 'it');
    return `HAProxy refuses it: ${words}`;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export async function writeCopy(certificates: readonly Certificate[], directory: string): Promise<void> {
  await makeDirectory(directory);
  // HAProxy shows the first file's to clients that name no host, or one that it has no certificate for.
  for (const [at, { certificate, key }] of certificates.entries())
    await writeFile(join(directory, `${String(at).padStart(4, '0')}.pem`), certificate + key, { mode: 0o600 });
}

async function namesIn(directory: string): Promise<string[]> {
  await makeDirectory(directory);
  return readdir(directory);
}

interface Files {
  readonly files: readonly FoundFile[];
  readonly unreadable: readonly UnusableCertificate[];
}

/** Sorted by path. Symbolic links are followed, as certbot has them. @throws where the directory itself can't be read */
async function filesOf(dir: string): Promise<Files> {
  const files: FoundFile[] = [];
  const unreadable: UnusableCertificate[] = [];
  const look = async (below: string): Promise<void> => {
    for (const name of (await readdir(join(dir, below))).sort()) {
      // Kubernetes' and editors' hidden ones would be there twice.
      if (name.startsWith('.')) continue;
      const path = join(below, name);
      try {
        const kind = await stat(join(dir, path));
        if (kind.isDirectory() && below === '') await look(path);
        // A pipe would never be read to its end.
        else if (kind.isFile() && kind.size <= mostBytes && wanted.test(name))
          files.push({ path, text: await readFile(join(dir, path), 'latin1') });
      } catch (error) {
        unreadable.push({ path, reason: `it can't be read: ${forbiddenTo('read', error) ?? messageOf(error)}` });
      }
    }
  };
  await look('');
  return { files, unreadable };
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

function whyExpired({ certificate }: Certificate): string | null {
  const { validTo } = new X509Certificate(certificate);
  const endsMs = Date.parse(validTo);
  if (!(endsMs < Date.now())) return null;
  return `it has expired on ${new Date(endsMs).toISOString()}; it is shown only where no other fits`;
}

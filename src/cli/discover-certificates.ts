import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCertificateDir } from '../adapters/certificate-dir.js';
import { checkConfiguration } from '../adapters/haproxy/binary.js';
import { messageOf, SettingError } from '../core/errors.js';
import type { CertificatesRead, CertificateStore } from '../ports/certificate-store.js';
import type { DiscoverSettings } from './discover-settings.js';

export function copiesIn(runDir: string): string {
  return join(runDir, 'certs');
}

/** Null where there is no HTTPS entrance. */
export function certificateStoreOf({ certs, runDir, haproxy }: DiscoverSettings): CertificateStore | null {
  if (certs === undefined) return null;
  return createCertificateDir({
    dir: certs,
    copies: copiesIn(runDir),
    check: async (directory) => {
      const file = `${directory}.cfg`;
      // As short as a configuration with certificates can be; nothing is opened by a check.
      const bind = `bind 127.0.0.1:1 ssl crt ${directory}`;
      await writeFile(file, `frontend entrance\n    mode http\n    timeout client 1s\n    ${bind}\n`);
      await checkConfiguration(haproxy, file, AbortSignal.timeout(30_000));
    },
  });
}

/** What is in CERTS now. @throws SettingError where it can't be read */
export async function readCertificates(
  store: CertificateStore | null,
  { certs = '' }: Pick<DiscoverSettings, 'certs'>,
): Promise<CertificatesRead> {
  if (store === null) return { usable: [], unusable: [], expired: [] };
  try {
    return await store.read();
  } catch (error) {
    throw new SettingError(`CERTS ${JSON.stringify(certs)}: ${messageOf(error)}`);
  }
}

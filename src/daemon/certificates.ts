import type { Problem } from '../core/catalog.js';
import type { Certificate } from '../core/certificates.js';
import { messageOf } from '../core/errors.js';
import type { CertificateStore } from '../ports/certificate-store.js';
import type { Logger } from '../ports/log.js';
import { every } from './lifecycle.js';

const noneAtAll = {
  key: 'HTTPS entrance',
  reason: 'CERTS has no certificate that can be used; it opens with the first',
};

export interface CertificatesOptions {
  readonly store: CertificateStore;
  readonly pollMs: number;
  readonly log: Logger;
  /** Others can be used now, or something else is wrong with them. */
  readonly onChange: () => void;
}

/** The certificates of the HTTPS entrance: what is wrong with one costs that one only, and the one before it stands. */
export interface Certificates {
  /** Directory of those that can be used; null where there is none. */
  directory(): string | null;
  /** The same object until it changes. */
  problems(): readonly Problem[];
  look(): Promise<void>;
  /** Looks again and again. */
  run(signal: AbortSignal): Promise<void>;
}

export function createCertificates({ store, pollMs, log, onChange }: CertificatesOptions): Certificates {
  let good: ReadonlyMap<string, Certificate> = new Map();
  let directory: string | null = null;
  /** The one before may be that of the configuration that HAProxy took last. */
  let before: string | null = null;
  let problems: readonly Problem[] = [];
  /** The last look found none. */
  let isEmpty = false;

  const tell = (now: readonly Problem[]): void => {
    if (JSON.stringify(now) === JSON.stringify(problems)) return;
    problems = now;
    onChange();
  };

  const look = async (): Promise<void> => {
    try {
      const { usable, unusable, expired } = await store.read();
      const next = new Map(usable.map((one) => [one.path, one]));
      const wrong = unusable.map(({ path, reason }) => {
        const last = next.has(path) ? undefined : good.get(path);
        if (last !== undefined) next.set(path, last);
        return problemOf(path, last === undefined ? reason : `${reason}; the one before stands`);
      });
      // Who renews by removing and writing is between the two for a moment.
      const isSudden = next.size === 0 && good.size > 0 && !isEmpty;
      isEmpty = next.size === 0;
      if (isSudden) return;
      const certificates = [...next.values()];
      const staged = certificates.length === 0 ? null : await store.stage(certificates);
      good = next;
      const old = expired.map(({ path, reason }) => problemOf(path, reason));
      tell([...(staged === null ? [noneAtAll] : []), ...wrong, ...old]);
      if (staged === directory) return;
      log.info({ certificates: certificates.map(({ path }) => path) }, 'certificates changed');
      [before, directory] = [directory, staged];
      onChange();
      await store.keepOnly([before, directory].filter((one) => one !== null));
    } catch (error) {
      const stands = directory === null ? [noneAtAll] : [];
      const reason = directory === null ? messageOf(error) : `${messageOf(error)}; those before stand`;
      tell([...stands, { key: 'certificates', reason }]);
    }
  };

  return {
    directory: () => directory,
    problems: () => problems,
    look,
    run: (signal) => every(pollMs, look, signal),
  };
}

function problemOf(path: string, reason: string): Problem {
  return { key: `certificate ${path}`, reason };
}

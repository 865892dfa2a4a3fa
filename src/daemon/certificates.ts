import { compareText, type Problem } from '../core/catalog.js';
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

  const tell = (now: readonly Problem[]): void => {
    if (JSON.stringify(now) === JSON.stringify(problems)) return;
    problems = now;
    onChange();
  };

  const look = async (): Promise<void> => {
    try {
      const { usable, unusable } = await store.read();
      const next = new Map(usable.map((one) => [one.path, one]));
      const wrong = unusable.map(({ path, reason }) => {
        const last = next.has(path) ? undefined : good.get(path);
        if (last !== undefined) next.set(path, last);
        return { key: `certificate ${path}`, reason: last === undefined ? reason : `${reason}; the one before stands` };
      });
      const sorted = [...next.values()].sort((a, b) => compareText(a.path, b.path));
      const staged = sorted.length === 0 ? null : await store.stage(sorted);
      good = next;
      tell(staged === null ? [noneAtAll, ...wrong] : wrong);
      if (staged === directory) return;
      log.info({ certificates: sorted.map(({ path }) => path) }, 'certificates changed');
      [before, directory] = [directory, staged];
      onChange();
      await store.keepOnly([before, directory].filter((one) => one !== null));
    } catch (error) {
      tell([{ key: 'certificates', reason: `${messageOf(error)}; those before stand` }]);
    }
  };

  return {
    directory: () => directory,
    problems: () => problems,
    look,
    run: (signal) => every(pollMs, look, signal),
  };
}

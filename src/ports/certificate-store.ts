import type { Certificate, UnusableCertificate } from '../core/certificates.js';

/** What is in the user's directory. */
export interface CertificatesRead {
  readonly usable: readonly Certificate[];
  readonly unusable: readonly UnusableCertificate[];
  /** Those of the usable that have expired, and since when. */
  readonly expired: readonly UnusableCertificate[];
}

/** The directory in which the user keeps certificates, and a copy of those that can be used. */
export interface CertificateStore {
  /** Each is tried with its key, and by HAProxy; those that have expired come last. @throws where the directory can't be read */
  read(): Promise<CertificatesRead>;
  /**
   * Makes a copy for HAProxy.
   *
   * @returns the directory, whose name changes with what is in it
   */
  stage(certificates: readonly Certificate[]): Promise<string>;
  /** Removes all copies but these. */
  keepOnly(directories: readonly string[]): Promise<void>;
}

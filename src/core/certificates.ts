/** A file of the directory, by its path below it, with `/` between. */
export interface FoundFile {
  readonly path: string;
  readonly text: string;
}

/** A certificate with its chain, and its key. */
export interface Certificate {
  /** Path of the certificate below the directory. */
  readonly path: string;
  readonly certificate: string;
  readonly key: string;
}

export interface UnusableCertificate {
  readonly path: string;
  readonly reason: string;
}

const block = (what: string): RegExp => new RegExp(`-----BEGIN ${what}-----[^-]+-----END ${what}-----`, 'g');
const certificates = block('(?:TRUSTED )?CERTIFICATE');
const keys = block('(?:(?:RSA|EC) )?PRIVATE KEY');
/** Of others' directories: chains and DH parameters beside the certificates, as nginx-proxy has them; certbot's parts of a chain. */
const notOne = /\.chain\.pem$|\.dhparam\.pem$|^dhparam\.pem$|(?:^|\/)(?:chain|cert)\.pem$/;

/**
 * Finds certificates with their keys: both in one file, or the key in `name.key` or, beside certbot's `fullchain.pem`, in
 * `privkey.pem`.
 */
export function pairsOf(files: readonly FoundFile[]): {
  readonly found: Certificate[];
  readonly unusable: UnusableCertificate[];
} {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const found: Certificate[] = [];
  const unusable: UnusableCertificate[] = [];
  for (const { path, text } of files) {
    const chain = text.match(certificates);
    if (chain === null || notOne.test(path)) continue;
    const keyPath = path.replace(/(?:fullchain\.pem|\.[a-z]+)$/, (end) =>
      end.startsWith('f') ? 'privkey.pem' : '.key',
    );
    const [key] = text.match(keys) ?? texts.get(keyPath)?.match(keys) ?? [];
    if (key === undefined)
      unusable.push({ path, reason: `it has no private key: put that into the file, or into ${keyPath}` });
    else found.push({ path, certificate: `${chain.join('\n')}\n`, key: `${key}\n` });
  }
  return { found, unusable };
}

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
const encrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/;
/** Chains beside the certificates, as nginx-proxy has them. */
const chainOnly = /\.chain\.pem$/;

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
    if (chain === null || isPart(path, texts)) continue;
    const keyPath = path.replace(/(?:fullchain\.pem|\.[a-z]+)$/, (end) =>
      end.startsWith('f') ? 'privkey.pem' : '.key',
    );
    const [key] = text.match(keys) ?? texts.get(keyPath)?.match(keys) ?? [];
    if (encrypted.test(text) || encrypted.test(texts.get(keyPath) ?? ''))
      unusable.push({ path, reason: 'its private key is encrypted: HAProxy can not ask for the password' });
    else if (key === undefined)
      unusable.push({ path, reason: `it has no private key: put that into the file, or into ${keyPath}` });
    else found.push({ path, certificate: `${chain.join('\n')}\n`, key: `${key}\n` });
  }
  return { found, unusable };
}

/** Whether a file has only a part of a chain that another one has whole, as certbot's `cert.pem` and `chain.pem`. */
function isPart(path: string, texts: ReadonlyMap<string, string>): boolean {
  const [, directory = '', name = ''] = /^(.*\/)?([^/]*)$/.exec(path) ?? [];
  return chainOnly.test(path) || (/^(?:cert|chain)\.pem$/.test(name) && texts.has(`${directory}fullchain.pem`));
}

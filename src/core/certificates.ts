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

/** The certificates in a text in PEM form, each with its frame. */
export function certificatesIn(text: string): readonly string[] {
  return text.match(certificates) ?? [];
}

/** The private keys in it that need no password. */
export function keysIn(text: string): readonly string[] {
  return text.match(keys) ?? [];
}

export function hasEncryptedKey(text: string): boolean {
  return encrypted.test(text);
}

/**
 * Finds certificates with their keys: both in one file, or the key in `name.key`, or beside `fullchain.pem` in `privkey.pem`
 * or `key.pem`.
 */
export function pairsOf(files: readonly FoundFile[]): {
  readonly found: Certificate[];
  readonly unusable: UnusableCertificate[];
} {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const found: Certificate[] = [];
  const unusable: UnusableCertificate[] = [];
  for (const { path, text } of files) {
    const chain = certificatesIn(text);
    if (chain.length === 0 || isPart(path, texts)) continue;
    const keyPaths = keyPathsOf(path);
    const beside = keyPaths.map((one) => texts.get(one) ?? '');
    const [key] = [text, ...beside].flatMap(keysIn);
    if (key !== undefined) found.push({ path, certificate: `${chain.join('\n')}\n`, key: `${key}\n` });
    else if ([text, ...beside].some(hasEncryptedKey))
      unusable.push({ path, reason: 'its private key is encrypted: HAProxy can not ask for the password' });
    else unusable.push({ path, reason: `it has no private key: put that into the file, or into ${keyPaths[0] ?? ''}` });
  }
  return { found, unusable };
}

/** Where a key may stand beside its certificate; certbot and acme-companion have names of their own. */
function keyPathsOf(path: string): string[] {
  const [, directory = '', name = ''] = /^(.*\/)?([^/]*)$/.exec(path) ?? [];
  if (name === 'fullchain.pem') return [`${directory}privkey.pem`, `${directory}key.pem`];
  const own = path.replace(/\.[a-z]+$/, '.key');
  return name === 'cert.pem' ? [own, `${directory}key.pem`] : [own];
}

/** Whether a file has only a part of a chain that another one has whole, as certbot's `cert.pem` and `chain.pem`. */
function isPart(path: string, texts: ReadonlyMap<string, string>): boolean {
  const [, directory = '', name = ''] = /^(.*\/)?([^/]*)$/.exec(path) ?? [];
  return chainOnly.test(path) || (/^(?:cert|chain)\.pem$/.test(name) && texts.has(`${directory}fullchain.pem`));
}

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { cantBeRead } from '../adapters/files.js';
import { certificatesIn, hasEncryptedKey, keysIn } from '../core/certificates.js';
import { messageOf, SettingError } from '../core/errors.js';

/** A PEM file, and the setting that names it. */
export interface TlsFile {
  readonly setting: string;
  readonly path: string;
}

/** A certificate that is shown to a server, and its private key; both in PEM form. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** @throws SettingError where the files are not what they should be */
export async function identityOf(certificateFile: TlsFile, keyFile: TlsFile): Promise<Identity> {
  const certificate = await certificatesOf(certificateFile);
  const key = await privateKeyIn(keyFile);
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new SettingError(
      `${named(keyFile)} is not the key of the certificate in ${named(certificateFile)}; in that file, the client's own must stand first`,
    );
  return { certificate, key };
}

/** @throws SettingError where the file has no certificate in it, or a broken one */
export async function certificatesOf(file: TlsFile): Promise<string> {
  const found = certificatesIn(await textIn(file));
  if (found.length === 0)
    throw new SettingError(
      `${named(file)} has no certificate in it: give a file in PEM form, with -----BEGIN CERTIFICATE-----`,
    );
  for (const certificate of found) tried(file, () => new X509Certificate(certificate));
  return `${found.join('\n')}\n`;
}

/** @throws SettingError where the file has no private key in it, or a broken one */
export async function privateKeyIn(file: TlsFile): Promise<string> {
  const text = await textIn(file);
  const [key] = keysIn(text);
  if (key === undefined)
    throw new SettingError(
      hasEncryptedKey(text)
        ? `${named(file)} is encrypted: give it without a password, as openssl pkey -in FILE -out FILE writes it`
        : `${named(file)} has no private key in it: give a file in PEM form, with -----BEGIN PRIVATE KEY-----`,
    );
  tried(file, () => createPrivateKey(key));
  return `${key}\n`;
}

/** @throws SettingError where it can't be read */
export async function textIn(file: TlsFile): Promise<string> {
  try {
    return await readFile(file.path, 'utf8');
  } catch (error) {
    throw new SettingError(`${named(file)} ${cantBeRead(error)}`);
  }
}

function tried(file: TlsFile, parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    throw new SettingError(`${named(file)} is broken: ${messageOf(error)}; make the file anew`);
  }
}

/** The setting and its file, as a message has it. */
export function named({ setting, path }: TlsFile): string {
  return `${setting} ${JSON.stringify(path)}`;
}

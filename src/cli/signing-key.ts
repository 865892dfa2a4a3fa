import { Option } from 'commander';
import { keyPairOf, type KeyPair } from '../adapters/ed25519.js';
import { messageOf, SettingError } from '../core/errors.js';
import { sealOf, unsealed, type Seal } from '../core/signature.js';
import type { Logger } from '../ports/log.js';
import { renew } from './renewal.js';
import { named, privateKeyIn, type TlsFile } from './tls-files.js';

export interface SigningSettings {
  /** Path of a PEM file. */
  readonly signingKeyFile?: string;
}

/** The key with which registrations are signed, as its file has it now. */
export interface Signing {
  readonly seal: Seal;
  /** Null where nothing is signed. */
  key(): KeyPair | null;
  /** Takes another key when one stands in the file, until `signal` fires. */
  follow(options: { readonly log: Logger; readonly onChange: () => void }, signal: AbortSignal): Promise<void>;
}

export function signingKeyOption(): Option {
  return new Option(
    '--signing-key-file <file>',
    'private key of Ed25519 (PEM) with which the registrations are signed, for client hosts with SIGNERS_FILE; not signed if not set',
  ).env('SIGNING_KEY_FILE');
}

const words = {
  fault: 'SIGNING_KEY_FILE can not be used; the key that was read before holds',
  end: 'SIGNING_KEY_FILE can be used again',
  adopted: 'SIGNING_KEY_FILE has another key; everything is signed with it',
};

/** @throws SettingError where the file has no key that can be used */
export async function signingOf({ signingKeyFile: path }: SigningSettings): Promise<Signing> {
  if (path === undefined) return { seal: unsealed, key: () => null, follow: () => Promise.resolve() };
  const file = { setting: 'SIGNING_KEY_FILE', path };
  const initial = await readKey(file);
  let current = initial;
  return {
    seal: sealOf(() => current),
    key: () => current,
    follow: ({ log, onChange }, signal) =>
      renew(
        {
          read: () => readKey(file),
          textOf: ({ publicKey }) => publicKey,
          initial,
          adopt(key) {
            current = key;
            onChange();
          },
          words,
          log,
        },
        signal,
      ),
  };
}

async function readKey(file: TlsFile): Promise<KeyPair> {
  const pem = await privateKeyIn(file);
  try {
    return keyPairOf(pem);
  } catch (error) {
    throw new SettingError(
      `${named(file)} ${messageOf(error)}; make one with openssl genpkey -algorithm ed25519 -out FILE`,
    );
  }
}

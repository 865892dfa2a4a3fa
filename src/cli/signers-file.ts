import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { keyIdOf, verifySignature } from '../adapters/ed25519.js';
import { SettingError } from '../core/errors.js';
import { parseSigners, type Signers, type Trust } from '../core/signers.js';
import type { Logger } from '../ports/log.js';
import { renew } from './renewal.js';
import { named, textIn, type TlsFile } from './tls-files.js';

export interface SignersSettings {
  /** Path of the list of keys. */
  readonly signersFile?: string;
}

/** Who is believed, as the file has it now. */
export interface SignersFile {
  trust(): Trust;
  /** Takes another list when one stands in the file, until `signal` fires. */
  follow(options: { readonly log: Logger; readonly onChange: () => void }, signal: AbortSignal): Promise<void>;
}

export function signersOption(): Option {
  return new Option(
    '--signers-file <file>',
    'use only registrations that are signed by a key of this list, each at the addresses that it names for the key; signatures do not matter if not set',
  ).env('SIGNERS_FILE');
}

const words = {
  fault: 'SIGNERS_FILE can not be used; what was read before holds',
  end: 'SIGNERS_FILE can be used again',
  adopted: 'SIGNERS_FILE changed; all registrations are judged by it',
};

interface SignersRead {
  readonly text: string;
  readonly signers: Signers;
}

/** A list that is written just now may end after any of its lines. */
const settleMs = 200;

/**
 * @returns null where signatures do not matter
 * @throws SettingError where the file is not what it should be
 */
export async function signersFileOf({ signersFile: path }: SignersSettings): Promise<SignersFile | null> {
  if (path === undefined) return null;
  const file = { setting: 'SIGNERS_FILE', path };
  const initial = await readSigners(file);
  let current = trustOf(initial);
  return {
    trust: () => current,
    follow: ({ log, onChange }, signal) =>
      renew(
        {
          read: () => readSigners(file),
          textOf: ({ text }) => text,
          initial,
          adopt(read) {
            current = trustOf(read);
            onChange();
          },
          words,
          log,
        },
        signal,
      ),
  };
}

function trustOf({ signers }: SignersRead): Trust {
  return { signers, verify: verifySignature };
}

async function readSigners(file: TlsFile): Promise<SignersRead> {
  const text = await settledTextIn(file);
  const signers = parseSigners(text, keyIdOf);
  if (signers.ok) return { text, signers: signers.value };
  throw new SettingError(`${named(file)} ${signers.reason}`);
}

async function settledTextIn(file: TlsFile): Promise<string> {
  for (let text = await textIn(file); ;) {
    await sleep(settleMs);
    const again = await textIn(file);
    if (again === text) return text;
    text = again;
  }
}

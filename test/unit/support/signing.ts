import { createHash } from 'node:crypto';
import { keyIdOf, keyPairOf, verifySignature, type KeyPair } from '../../../src/adapters/ed25519.js';
import type { LeasedEntry } from '../../../src/core/catalog.js';
import { sealOf, type Seal } from '../../../src/core/signature.js';
import { parseSigners, type Trust } from '../../../src/core/signers.js';
import { accepted } from './parsed.js';

/** What stands before the 32 bytes of a private key of Ed25519 in PKCS#8. */
const head = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A private key in PEM form that is the same for the same name. */
export function pemOf(name: string): string {
  const der = Buffer.concat([head, createHash('sha256').update(name).digest()]);
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
}

export function pairOf(name: string): KeyPair {
  return keyPairOf(pemOf(name));
}

export function sealBy(name: string): Seal {
  const pair = pairOf(name);
  return sealOf(() => pair);
}

/** The line of each key, by its name: where it may speak. */
export function listOf(where: Readonly<Record<string, string>>): string {
  return Object.entries(where)
    .map(([name, networks]) => `${networks} ${pairOf(name).publicKey}  # ${name}\n`)
    .join('');
}

export function trustIn(where: Readonly<Record<string, string>>): Trust {
  return { signers: accepted(parseSigners(listOf(where), keyIdOf)), verify: verifySignature };
}

export function signed<T extends Pick<LeasedEntry, 'key' | 'value'>>(entry: T, name: string): T {
  return { ...entry, value: sealBy(name).seal(entry.key, entry.value) };
}

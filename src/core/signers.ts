import { formatNetworks, isWithin, parseNetworks, type Network } from './networks.js';
import { accept, quoted, reject, type Parsed } from './result.js';
import { claimsSignature, signatureOf } from './signature.js';

/** Who may sign registrations. */
export interface Signer {
  /** The public key: 32 bytes in base64. */
  readonly publicKey: string;
  /** Where the endpoints may be that it registers, or drains. */
  readonly networks: readonly Network[];
}

/** By the ids of their keys. */
export type Signers = ReadonlyMap<string, Signer>;

/** Whether the key made the signature for this text. */
export type Verify = (publicKey: string, text: string, sig: string) => boolean;

/** Who is believed. */
export interface Trust {
  readonly signers: Signers;
  readonly verify: Verify;
}

/** 32 bytes: in the last character before the `=`, four of the six bits count. */
const publicKey = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
const form =
  'addresses or networks with commas between, a space, and the public key, as docker-register public-key prints it';

/**
 * The file that tells who may sign for which addresses, a line per key:
 *
 *     198.18.0.20,10.20.0.0/16 9Sl+j+FwVumA/d44YPDK7NtKq7S+w7YWsRXypDuGqH8=  # comment
 *
 * @param idOf the id of a public key
 */
export function parseSigners(text: string, idOf: (publicKey: string) => string): Parsed<Signers> {
  const signers = new Map<string, Signer>();
  const lineOf = new Map<string, number>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const number = index + 1;
    const signer = parseSigner(line);
    if (!signer.ok) return reject(`line ${String(number)}: ${signer.reason}`);
    const id = idOf(signer.value.publicKey);
    const before = lineOf.get(id);
    if (before !== undefined)
      return reject(
        `line ${String(number)}: the key of line ${String(before)} again; give all its addresses in one line`,
      );
    lineOf.set(id, number);
    signers.set(id, signer.value);
  }
  // Nobody means to believe nobody: it is a file that is just being written.
  if (signers.size === 0) return reject(`has no key in it: give a line for each, ${form}`);
  return accept(signers);
}

function parseSigner(line: string): Parsed<Signer> {
  const [, where = '', key = ''] = /^(\S+)[ \t]+(\S+)(?:[ \t]+#.*)?$/.exec(line) ?? [];
  if (where === '') return reject(`${quoted(line)} is not of the form: ${form}`);
  const networks = parseNetworks(where);
  if (!networks.ok) return networks;
  if (!publicKey.test(key))
    return reject(
      `${quoted(key)} is not the public key of Ed25519: 32 bytes in base64, 44 characters with a "=" at the end`,
    );
  return accept({ publicKey: key, networks: networks.value });
}

/** Who signed an entry, or why nobody is believed to have. */
export function signerOf({ signers, verify }: Trust, key: string, value: string): Parsed<Signer> {
  const signature = signatureOf(key, value);
  if (signature === null)
    return reject(
      claimsSignature(value)
        ? 'its signature is not of the form: by=…&sig=… at the end of the value'
        : 'it is not signed, and this host wants signatures (SIGNERS_FILE): give its docker-register a SIGNING_KEY_FILE',
    );
  const { by, sig, text } = signature;
  const signer = signers.get(by);
  if (signer === undefined)
    return reject(
      `it is signed by the key ${by}, which SIGNERS_FILE does not have: add what docker-register public-key prints on its host`,
    );
  if (!verify(signer.publicKey, text, sig))
    return reject(
      `its signature by the key ${by} is wrong: what stands there is not what was signed, or was signed for another key of etcd`,
    );
  return accept(signer);
}

/** The same, where it also tells of the address of an endpoint, or of a host. */
export function speakerFor(host: string, trust: Trust, key: string, value: string): Parsed<Signer> {
  const by = signatureOf(key, value)?.by ?? '';
  const networks = trust.signers.get(by)?.networks;
  // Before the signature, because it costs less.
  if (networks !== undefined && !isWithin(networks, host))
    return reject(
      `it is signed by the key ${by}, which may not speak for ${host}, but for ${formatNetworks(networks)} (SIGNERS_FILE)`,
    );
  return signerOf(trust, key, value);
}

/** Whether two lists have the same to say of who signed a value. */
export function areAlike(a: Trust, b: Trust, value: string): boolean {
  const by = signatureOf('', value)?.by ?? '';
  const [signer, other] = [a.signers.get(by), b.signers.get(by)];
  if (signer === undefined || other === undefined) return signer === other;
  return signer.publicKey === other.publicKey && formatNetworks(signer.networks) === formatNetworks(other.networks);
}

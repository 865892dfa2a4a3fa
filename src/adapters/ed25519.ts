import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import type { SigningKey } from '../core/signature.js';
import type { Verify } from '../core/signers.js';

/** A key pair of Ed25519, that signs. */
export interface KeyPair extends SigningKey {
  /** 32 bytes in base64. */
  readonly publicKey: string;
}

/**
 * @param pem a private key (PKCS#8), as `openssl genpkey -algorithm ed25519` writes it
 * @throws KindOfKeyError where it is of another kind
 */
export function keyPairOf(pem: string): KeyPair {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new KindOfKeyError(`is a key of the kind ${privateKey.asymmetricKeyType ?? 'unknown'}, and not of Ed25519`);
  const publicKey = rawOf(createPublicKey(privateKey));
  return {
    id: keyIdOf(publicKey),
    publicKey,
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
  };
}

export class KindOfKeyError extends Error {
  override readonly name = 'KindOfKeyError';
}

/** The id by which a value names the key that signed it. */
export function keyIdOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 16);
}

export const verifySignature: Verify = (publicKey, text, sig) => {
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, Buffer.from(text), key, Buffer.from(sig, 'base64url'));
};

function rawOf(publicKey: KeyObject): string {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64');
}

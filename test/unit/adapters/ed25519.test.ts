import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { keyIdOf, keyPairOf, verifySignature } from '../../../src/adapters/ed25519.js';
import { pairOf, pemOf } from '../support/signing.js';

// RFC 8032, 7.1, the second test.
const secret = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const pem = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(`302e020100300506032b657004220420${secret}`, 'hex').toString('base64')}\n-----END PRIVATE KEY-----\n`;
const signature =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

test('signs as RFC 8032 has it', () => {
  const pair = keyPairOf(pem);
  expect(Buffer.from(pair.publicKey, 'base64').toString('hex')).toBe(
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  );
  expect(Buffer.from(pair.sign('r'), 'base64url').toString('hex')).toBe(signature);
  expect(verifySignature(pair.publicKey, 'r', pair.sign('r'))).toBe(true);
  expect(verifySignature(pair.publicKey, 's', pair.sign('r'))).toBe(false);
  expect(verifySignature(pairOf('a').publicKey, 'r', pair.sign('r'))).toBe(false);
});

test('names a key by the SHA-256 of its 32 bytes', () => {
  expect(keyIdOf(keyPairOf(pem).publicKey)).toBe('39f713d0a644253f');
  expect(keyPairOf(pem).id).toBe('39f713d0a644253f');
  expect(keyPairOf(pemOf('a')).id).not.toBe(keyPairOf(pemOf('b')).id);
});

test('takes no key of another kind', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  expect(() => keyPairOf(rsa.toString())).toThrow('is a key of the kind rsa, and not of Ed25519');
});

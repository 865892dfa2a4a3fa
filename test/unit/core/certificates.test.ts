import { expect, test } from 'vitest';
import { pairsOf } from '../../../src/core/certificates.js';

const certificate = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;
const key = (name: string, kind = ''): string =>
  `-----BEGIN ${kind}PRIVATE KEY-----\n${name}\n-----END ${kind}PRIVATE KEY-----\n`;

test('a certificate is found with its key: in one file, beside it, or as certbot has it', () => {
  const { found, unusable } = pairsOf([
    { path: 'one.pem', text: `# mine\n${key('k1', 'EC ')}${certificate('c1')}${certificate('chain')}` },
    { path: 'two.crt', text: certificate('c2') },
    { path: 'two.key', text: key('k2', 'RSA ') },
    { path: 'three.example/cert.pem', text: certificate('leaf') },
    { path: 'three.example/chain.pem', text: certificate('chain') },
    { path: 'three.example/fullchain.pem', text: certificate('c3') },
    { path: 'three.example/privkey.pem', text: key('k3') },
  ]);
  expect(unusable).toEqual([]);
  expect(found).toEqual([
    { path: 'one.pem', certificate: certificate('c1') + certificate('chain'), key: key('k1', 'EC ') },
    { path: 'two.crt', certificate: certificate('c2'), key: key('k2', 'RSA ') },
    { path: 'three.example/fullchain.pem', certificate: certificate('c3'), key: key('k3') },
  ]);
});

test('certbot’s names are parts only beside the whole, and a key that wants a password is told of', () => {
  const secret = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----\n';
  const { found, unusable } = pairsOf([
    { path: 'cert.pem', text: certificate('c') + key('k') },
    { path: 'chain.pem', text: certificate('d') },
    { path: 'chain.key', text: key('e') },
    { path: 'lay/cert.pem', text: certificate('leaf') },
    { path: 'lay/fullchain.pem', text: certificate('f') },
    { path: 'lay/key.pem', text: key('l') },
    { path: 'locked.pem', text: certificate('c') + secret },
    { path: 'shut.crt', text: certificate('c') },
    { path: 'shut.key', text: secret },
  ]);
  expect(found.map(({ path }) => path)).toEqual(['cert.pem', 'chain.pem', 'lay/fullchain.pem']);
  expect(unusable.map(({ path }) => path)).toEqual(['locked.pem', 'shut.crt']);
  expect(unusable[0]?.reason).toBe('its private key is encrypted: HAProxy can not ask for the password');
});

test('one without a key is told of, and what is none is left alone', () => {
  const { found, unusable } = pairsOf([
    { path: 'lost.crt', text: certificate('c') },
    { path: 'alone/fullchain.pem', text: certificate('c') },
    { path: 'dhparam.pem', text: '-----BEGIN DH PARAMETERS-----\nx\n-----END DH PARAMETERS-----\n' },
    { path: 'shop.chain.pem', text: certificate('c') },
    { path: 'README.pem', text: 'put certificates here' },
    { path: 'other.key', text: key('k') },
  ]);
  expect(found).toEqual([]);
  expect(unusable).toEqual([
    { path: 'lost.crt', reason: 'it has no private key: put that into the file, or into lost.key' },
    { path: 'alone/fullchain.pem', reason: 'it has no private key: put that into the file, or into alone/privkey.pem' },
  ]);
});

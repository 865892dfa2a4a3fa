import { beforeEach, expect, test } from 'vitest';
import type { Certificate } from '../../../src/core/certificates.js';
import { createCertificates, type Certificates } from '../../../src/daemon/certificates.js';
import type { CertificatesRead } from '../../../src/ports/certificate-store.js';
import { recordingLog } from '../support/log.js';

let read: () => CertificatesRead;
let refused: string | null;
/** Contents of the copies, by directory. */
let staged: Map<string, readonly string[]>;
let changes: number;
let certificates: Certificates;

const one = (path: string, text = path): Certificate => ({ path, certificate: text, key: 'key' });

beforeEach(() => {
  read = () => ({ usable: [], unusable: [], expired: [] });
  refused = null;
  staged = new Map();
  changes = 0;
  certificates = createCertificates({
    store: {
      read: () =>
        new Promise((resolve) => {
          resolve(read());
        }),
      stage: (some) => {
        if (refused !== null) return Promise.reject(new Error(refused));
        const texts = some.map(({ certificate }) => certificate);
        const directory = `/certs/${texts.join('+')}`;
        staged.set(directory, texts);
        return Promise.resolve(directory);
      },
      keepOnly: (directories) => {
        for (const directory of staged.keys()) if (!directories.includes(directory)) staged.delete(directory);
        return Promise.resolve();
      },
    },
    pollMs: 1_000,
    log: recordingLog().log,
    onChange: () => {
      changes += 1;
    },
  });
});

async function have(usable: readonly Certificate[], unusable: CertificatesRead['unusable'] = []): Promise<void> {
  read = () => ({ usable, unusable, expired: [] });
  await certificates.look();
}

const reasons = (): string[] => certificates.problems().map(({ key, reason }) => `${key}: ${reason}`);

test('where there is none, that is told until there is one', async () => {
  await have([]);
  expect([certificates.directory(), reasons()]).toEqual([
    null,
    ['HTTPS entrance: CERTS has no certificate that can be used; it opens with the first'],
  ]);
  await have([one('a.pem')]);
  expect([certificates.directory(), reasons()]).toEqual(['/certs/a.pem', []]);
});

test('nothing happens while nothing changes', async () => {
  await have([one('a.pem')]);
  const [before, problems] = [changes, certificates.problems()];
  await have([one('a.pem')]);
  expect(changes).toBe(before);
  expect(certificates.problems()).toBe(problems);
});

test('one that can not be used costs itself only, and the one before it stands', async () => {
  await have([one('a.pem'), one('b.pem', 'old')]);
  await have(
    [one('a.pem', 'new')],
    [
      { path: 'b.pem', reason: 'its key is another’s' },
      { path: 'c.pem', reason: 'no key' },
    ],
  );
  expect(certificates.directory()).toBe('/certs/new+old');
  expect(reasons()).toEqual([
    'certificate b.pem: its key is another’s; the one before stands',
    'certificate c.pem: no key',
  ]);
  await have([one('a.pem', 'new'), one('b.pem', 'mended')]);
  expect([certificates.directory(), reasons()]).toEqual(['/certs/new+mended', []]);
});

test('one that was removed is gone, and the copy before the last stays for the configuration before the last', async () => {
  await have([one('a.pem'), one('b.pem')]);
  await have([one('a.pem')]);
  expect([...staged.keys()]).toEqual(['/certs/a.pem+b.pem', '/certs/a.pem']);
  await have([one('c.pem')]);
  expect([...staged.keys()]).toEqual(['/certs/a.pem', '/certs/c.pem']);
});

test('those before stand while the directory can not be read, or the copy not be made', async () => {
  await have([one('a.pem')]);
  read = () => {
    throw new Error('EACCES: permission denied');
  };
  await certificates.look();
  expect([certificates.directory(), reasons()]).toEqual([
    '/certs/a.pem',
    ['certificates: EACCES: permission denied; those before stand'],
  ]);
  refused = 'no space is left';
  await have([one('b.pem')]);
  expect([certificates.directory(), reasons()]).toEqual([
    '/certs/a.pem',
    ['certificates: no space is left; those before stand'],
  ]);
  refused = null;
  await have([one('b.pem')]);
  expect([certificates.directory(), reasons()]).toEqual(['/certs/b.pem', []]);
});

test('where none stands, that is told too, whatever else is wrong', async () => {
  read = () => {
    throw new Error('ENOENT: no such file or directory');
  };
  await certificates.look();
  expect(reasons()).toEqual([
    'HTTPS entrance: CERTS has no certificate that can be used; it opens with the first',
    'certificates: ENOENT: no such file or directory',
  ]);
});

test('a directory that is empty for a moment is none that stays so', async () => {
  await have([one('a.pem')]);
  await have([]);
  expect([certificates.directory(), reasons()]).toEqual(['/certs/a.pem', []]);
  await have([one('b.pem')]);
  expect(certificates.directory()).toBe('/certs/b.pem');
  await have([]);
  await have([]);
  expect(certificates.directory()).toBeNull();
});

test('one that has expired is used, and told of', async () => {
  read = () => ({ usable: [one('a.pem')], unusable: [], expired: [{ path: 'a.pem', reason: 'it has expired' }] });
  await certificates.look();
  expect([certificates.directory(), reasons()]).toEqual(['/certs/a.pem', ['certificate a.pem: it has expired']]);
});

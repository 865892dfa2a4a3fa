import fc from 'fast-check';
import { addresses, queries } from '../unit/support/hostile.js';
import { attributeName, validPair, validTexts } from './attributes.js';
import { hostile, mostlyValid } from './texts.js';

/** A key of etcd with its value: bytes, whatever somebody wrote there. */
export interface RawEntry {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly createRevision: number;
  /** Its lease went without a withdrawal. */
  readonly isStale: boolean;
}

const service = fc.oneof(
  fc.constantFrom('web', 'db', 'stats', 'Web', 'a.b_c-d', 'constructor', 'toString', 'entrance', 'x'.repeat(128)),
  fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,12}$/),
);
const id = fc.oneof(
  fc.constantFrom(
    '3f53bb00af94',
    '3f53bb00af94:8000',
    'a',
    'b',
    'primary',
    'check',
    'ip6-2001-db8--7:80',
    'i'.repeat(128),
  ),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,12}$/),
);
const host = fc.oneof(
  fc.constantFrom(
    '10.0.0.1',
    '10.0.0.2',
    '198.18.0.20',
    '[2001:db8::7]',
    '[2001:DB8:0::8]',
    '127.0.0.1',
    '169.254.169.254',
  ),
  fc.constantFrom(
    '0.1.2.3',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    '239.1.1.1',
    '255.255.255.255',
    '[::1]',
    '[::7f00:1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::a9fe:a9fe]',
    '[64:ff9b:1::a9fe:a9fe]',
    '[fe80::1]',
    '[ff02::1]',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
  ),
  fc.ipV4(),
  fc.ipV6().map((ip) => `[${ip}]`),
);
const port = fc.oneof(
  fc.constantFrom('80', '8000', '49153', '49154', '65535'),
  fc.integer({ min: 1, max: 65_535 }).map(String),
);
const drainTarget = fc.constantFrom('3f53bb00af94', '10.0.0.1', '2001:db8::7', 'a');

const validKey = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(service, id).map(([name, one]) => `/backends/${name}/${one}`) },
  { weight: 1, arbitrary: drainTarget.map((target) => `/backends/drain:/${target}`) },
);

const pair = fc.oneof(
  { weight: 18, arbitrary: validPair },
  { weight: 1, arbitrary: fc.tuple(attributeName, hostile(fc.constant('x'))) },
  {
    weight: 4,
    arbitrary: attributeName.chain((name) => fc.tuple(fc.constant(name), hostile(validTexts[name] ?? fc.constant('')))),
  },
  { weight: 1, arbitrary: fc.tuple(hostile(attributeName), fc.constantFrom('x', '1')) },
);
const query = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .uniqueArray(pair, { maxLength: 6, selector: ([name]) => name })
      .map((pairs) => pairs.map((one) => one.join('=')).join('&')),
  },
  { weight: 1, arbitrary: fc.constantFrom(...queries) },
);
const address = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(host, port).map((parts) => parts.join(':')) },
  { weight: 1, arbitrary: fc.constantFrom(...addresses) },
);
const validValue = fc.oneof(
  { weight: 1, arbitrary: address },
  { weight: 6, arbitrary: fc.tuple(address, query).map((parts) => parts.join('?')) },
);

/** Bytes, of which one may be changed: mostly no UTF-8 any more. */
function bytesOf(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc.tuple(text, fc.nat(30), fc.nat(300), fc.nat(255)).map(([one, kind, at, byte]) => {
    const bytes = Buffer.from(one);
    if (kind === 30 && bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });
}

const anyEntry: fc.Arbitrary<RawEntry> = fc.record({
  key: bytesOf(mostlyValid(validKey)),
  value: bytesOf(mostlyValid(validValue)),
  createRevision: fc.integer({ min: 2, max: 9 }),
  isStale: fc.nat(9).map((n) => n === 0),
});

/** What may stand in etcd; a key that comes twice was put twice. */
export const anyEntries: fc.Arbitrary<RawEntry[]> = fc.array(anyEntry, { minLength: 1, maxLength: 4 });

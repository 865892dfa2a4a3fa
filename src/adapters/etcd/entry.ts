import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { IKeyValue } from 'etcd3';
import { keyCutMark, maxKeyBytes, maxValueBytes } from '../../core/keyspace.js';
import type { HeldEntry } from '../../ports/registry.js';

export function entryOf({ key, value, create_revision, mod_revision, lease }: IKeyValue): HeldEntry {
  return {
    key: keyTextOf(key),
    // One byte more than the grammar takes: whoever reads it sees that it is too long.
    value: value.subarray(0, maxValueBytes + 1).toString(),
    createRevision: Number(create_revision),
    modRevision: Number(mod_revision),
    lease,
  };
}

/** So much of a key that is longer than any of the grammar. */
const shownBytes = 256;

/**
 * The key as text. A key of etcd is bytes, up to 1.5 MB of them, and whoever counts keys must not take two for one: what
 * is not UTF-8, or longer than any key of the grammar, has a text of its own too, which no other key has, and which the
 * grammar rejects.
 */
export function keyTextOf(key: Buffer): string {
  if (key.length > maxKeyBytes) {
    const digest = createHash('sha256').update(key).digest('hex');
    return `${surrogateEscaped(key.subarray(0, shownBytes))}${keyCutMark}${String(key.length)} bytes, SHA-256 ${digest}`;
  }
  return isUtf8(key) ? key.toString() : surrogateEscaped(key);
}

/** Each byte above ASCII as a lone low surrogate (U+DC80 to U+DCFF), the way of Python's PEP 383. */
function surrogateEscaped(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (character) => String.fromCharCode(0xdc00 + character.charCodeAt(0)));
}

import { networkInterfaces } from 'node:os';
import { parseIp } from '../core/address.js';

/** Addresses come and go with interfaces; to look takes a tenth of a millisecond. */
const lookEveryMs = 3_000;

/**
 * Addresses of this machine's interfaces, looked at anew every few seconds. The same object until one of them changes; empty where they
 * can't be read.
 */
export function createInterfaces(): () => ReadonlySet<string> {
  let known: ReadonlySet<string> = new Set();
  let lookedAtMs = -Infinity;
  return () => {
    if (performance.now() - lookedAtMs < lookEveryMs) return known;
    lookedAtMs = performance.now();
    const now = addresses() ?? known;
    if (now.size !== known.size || [...now].some((ip) => !known.has(ip))) known = now;
    return known;
  };
}

/** Null where the kernel may not be asked. */
function addresses(): ReadonlySet<string> | null {
  let interfaces: ReturnType<typeof networkInterfaces>;
  try {
    interfaces = networkInterfaces();
  } catch {
    return null;
  }
  const all = Object.values(interfaces).flatMap((one) => one ?? []);
  return new Set(
    all.flatMap(({ address }) => {
      const ip = parseIp(address);
      return ip.ok ? [ip.value] : [];
    }),
  );
}

import { isIPv4, parseIp } from './address.js';

const label = '[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?';
const hostname = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*\\.?$`);

/** A host as it stands in a URL: a name, an IPv4 address, or an IPv6 address in brackets. */
export function isHost(text: string): boolean {
  if (text.startsWith('[') && text.endsWith(']')) {
    const inner = text.slice(1, -1);
    return parseIp(inner).ok && !isIPv4(inner);
  }
  // What ends in a number is an address, and a mistyped one unless it parses; never a name.
  return isIPv4(text) || (hostname.test(text) && !/(^|\.)\d+\.?$/.test(text));
}

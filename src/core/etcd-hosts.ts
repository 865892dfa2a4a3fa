import { parsePort } from './address.js';
import { isHost } from './host.js';
import { accept, quoted, reject, type Parsed } from './result.js';

const defaultPort = 2379;

/**
 * The members of etcd: `host`, `host:port` or a URL, several separated by commas → URLs, all with a port.
 * A port that is not named is 2379; a scheme that is not named is http.
 */
export function parseEtcdHosts(text: string): Parsed<readonly string[]> {
  const urls: string[] = [];
  for (const part of text.split(',').map((piece) => piece.trim())) {
    if (part === '')
      return reject(`${quoted(text)} has an empty part; give host, host:port or URL, several separated by commas`);
    const url = parseMember(part);
    if (!url.ok) return url;
    urls.push(url.value);
  }
  const schemes = new Set(urls.map((url) => url.split(':')[0]));
  if (schemes.size > 1) return reject(`${quoted(text)} mixes http and https; all members must have the same`);
  return accept([...new Set(urls)]);
}

function parseMember(part: string): Parsed<string> {
  const [, scheme = 'http', host = '', portText = String(defaultPort)] =
    /^(?:(https?):\/\/)?(\[[^\]]*\]|[^:/[\]]+)(?::([^/]*))?\/?$/.exec(part) ?? [];
  if (!isHost(host))
    return reject(`${quoted(part)} is not an etcd host; give host, host:port or URL (IPv6 in brackets)`);
  const port = parsePort(portText);
  return port.ok ? accept(`${scheme}://${host}:${String(port.value)}`) : reject(`${quoted(part)}: ${port.reason}`);
}

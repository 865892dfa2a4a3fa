/** A `server` line, taken apart as far as the runtime API needs it. */
export interface ServerLine {
  /** `ip:port` or `[ipv6]:port`. */
  readonly address: string;
  readonly weight: number;
  /** Everything else on the line, one space between. */
  readonly keywords: string;
}

export type ServerLines = ReadonlyMap<string, ReadonlyMap<string, ServerLine>>;

/** A configuration as the plan sees it: what only a reload can change, and the servers, which come and go at run time. */
export interface Configuration {
  /** Text of each section without its servers, by its first line, such as `listen whoami:8000`. */
  readonly sections: ReadonlyMap<string, string>;
  /** By the name of the proxy, then of the server. Every proxy is there, also one without a server. */
  readonly servers: ServerLines;
}

// Configuration manual, chapter 2: a section begins with one of these words, whatever the indentation.
const sectionWords =
  /^(global|defaults|frontend|listen|backend|userlist|peers|resolvers|mailers|program|http-errors|ring|cache|fcgi-app|log-forward|log-profile|crt-store|traces)\b/;

/**
 * Reads a rendered configuration, of whatever template. A `server` line that holds what the runtime API would read
 * otherwise (quotes, comments, escapes, variables) counts as part of its section.
 */
export function parseConfiguration(text: string): Configuration {
  const sections = new Map<string, string>();
  const servers = new Map<string, Map<string, ServerLine>>();
  let header = '';
  let own: Map<string, ServerLine> | null = null;
  for (const raw of text.split('\n')) {
    const line = raw.trim().replace(/\s+/g, ' ');
    if (line === '' || line.startsWith('#')) continue;
    if (sectionWords.test(line)) {
      header = line;
      const [, proxy] = /^(?:listen|backend) (\S+)/.exec(line) ?? [];
      own = proxy === undefined ? null : (servers.get(proxy) ?? new Map<string, ServerLine>());
      if (proxy !== undefined && own !== null) servers.set(proxy, own);
    }
    const [, name, address, rest = ''] = /^server (\S+) (\S+)(?: ([^"'\\#;$]*))?$/.exec(line) ?? [];
    if (own !== null && name !== undefined && address !== undefined) own.set(name, serverLineOf(address, rest));
    else sections.set(header, `${sections.get(header) ?? ''}${line}\n`);
  }
  return { sections, servers };
}

function serverLineOf(address: string, rest: string): ServerLine {
  const words = rest.split(' ');
  const at = words.indexOf('weight');
  const weight = at === -1 ? 1 : Number(words[at + 1]);
  if (at !== -1) words.splice(at, 2);
  return { address, weight, keywords: words.join(' ') };
}

/** What of the sections differs, in words: the reason of a reload. */
export function sectionChanges(before: Configuration, after: Configuration): string[] {
  const added = [...after.sections.keys()].filter((header) => !before.sections.has(header));
  const removed = [...before.sections.keys()].filter((header) => !after.sections.has(header));
  const changed = [...after.sections].filter(([header, text]) => (before.sections.get(header) ?? text) !== text);
  return [
    ...added.map((header) => `${titleOf(header)} added`),
    ...removed.map((header) => `${titleOf(header)} removed`),
    ...changed.map(([header]) => `${titleOf(header)} changed`),
  ];
}

function titleOf(header: string): string {
  return header === '' ? 'the text before the first section' : header;
}

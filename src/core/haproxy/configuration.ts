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
const sectionStart =
  /^[ \t]*(?=(?:global|defaults|frontend|listen|backend|userlist|peers|resolvers|mailers|program|http-errors|ring|cache|fcgi-app|log-forward|log-profile|crt-store|traces)(?:\s|$))/gm;

/** One section of the text. */
interface Section {
  readonly header: string;
  readonly text: string;
  /** Of a `listen` or `backend`, its name; null of others, which have no servers of this kind. */
  readonly proxy: string | null;
  readonly servers: ReadonlyMap<string, ServerLine>;
}

export function parseConfiguration(text: string): Configuration {
  return createConfigurationReader()(text);
}

/**
 * Reads rendered configurations, of whatever template, one after the other. A section that says the same as in the last
 * one is not read again, and its servers are the same object as then. A `server` line that holds what the runtime API
 * would read otherwise (quotes, comments, escapes, variables) counts as part of its section.
 */
export function createConfigurationReader(): (text: string) => Configuration {
  let known = new Map<string, Section>();
  return (text) => {
    const pieces = new Map<string, Section>();
    const read = piecesOf(text).map((piece) => {
      const section = known.get(piece) ?? pieces.get(piece) ?? sectionOf(piece);
      pieces.set(piece, section);
      return section;
    });
    known = pieces;
    return joined(read);
  };
}

/** The text from each section's first line to the next one's; what stands before the first is a piece too. */
function piecesOf(text: string): string[] {
  const starts = [0, ...[...text.matchAll(sectionStart)].map(({ index }) => index)];
  return starts.map((start, at) => text.slice(start, starts[at + 1])).filter((piece) => piece !== '');
}

function sectionOf(piece: string): Section {
  const hasHeader = piece.search(sectionStart) === 0;
  const lines: string[] = [];
  const servers = new Map<string, ServerLine>();
  let header = '';
  let proxy: string | null = null;
  for (const raw of piece.split('\n')) {
    const line = raw.trim().replace(/\s+/g, ' ');
    if (line === '' || line.startsWith('#')) continue;
    if (hasHeader && header === '') {
      header = line;
      proxy = /^(?:listen|backend) (\S+)/.exec(line)?.[1] ?? null;
    }
    const [, name, address, rest = ''] = /^server (\S+) (\S+)(?: ([^"'\\#;$]*))?$/.exec(line) ?? [];
    if (proxy !== null && name !== undefined && address !== undefined) servers.set(name, serverLineOf(address, rest));
    else lines.push(line);
  }
  return { header, text: lines.map((line) => `${line}\n`).join(''), proxy, servers };
}

/** Sections of one name are one, as HAProxy has it for `global` and `defaults`. */
function joined(read: readonly Section[]): Configuration {
  const sections = new Map<string, string>();
  const servers = new Map<string, ReadonlyMap<string, ServerLine>>();
  for (const { header, text, proxy, servers: own } of read) {
    if (text !== '') sections.set(header, `${sections.get(header) ?? ''}${text}`);
    if (proxy === null) continue;
    const others = servers.get(proxy);
    servers.set(proxy, others === undefined ? own : new Map([...others, ...own]));
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

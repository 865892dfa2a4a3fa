import type { ReloadReason } from './reload-reason.js';

/** A `server` line, taken apart as far as the runtime API needs it. */
export interface ServerLine {
  /** `ip:port` or `[ipv6]:port`. */
  readonly address: string;
  readonly weight: number;
  /** Everything else on the line, one space between. */
  readonly keywords: string;
}

export type ServerLines = ReadonlyMap<string, ReadonlyMap<string, ServerLine>>;

/** Servers that only a reload can change: their line can't be given to the runtime API as it stands. */
export interface FixedServers {
  /** The server's name, or the prefix of a `server-template`. */
  readonly name: string;
  /** First and last of the numbers behind the prefix; null for a single server. */
  readonly numbers: readonly [number, number] | null;
}

/** A configuration as the plan sees it: what only a reload can change, and the servers, which come and go at run time. */
export interface Configuration {
  /** Text of each section without its servers, by its first line, such as `listen whoami:8000`. */
  readonly sections: ReadonlyMap<string, string>;
  /** By the name of the proxy, then of the server. Every proxy is there, also one without a server. */
  readonly servers: ServerLines;
  /** By the name of the proxy. They are part of their section's text. */
  readonly fixed: ReadonlyMap<string, readonly FixedServers[]>;
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
  readonly fixed: readonly FixedServers[];
}

export function parseConfiguration(text: string): Configuration {
  return createConfigurationReader()([text]);
}

/**
 * Reads rendered configurations, of whatever template, one after the other. A piece that says the same as in the last one is not
 * read again, and its servers are the same objects as then. A `server-template`, and a `server` line that holds what the runtime
 * API would read otherwise (quotes, comments, escapes, variables), count as part of their section.
 *
 * @param pieces the text, cut anywhere; best between sections
 */
export function createConfigurationReader(): (pieces: readonly string[]) => Configuration {
  let known = new Map<string, readonly Section[]>();
  return (pieces) => {
    const now = new Map<string, readonly Section[]>();
    const read = (piece: string): readonly Section[] => {
      const sections = known.get(piece) ?? now.get(piece) ?? sectionTextsOf(piece).map(sectionOf);
      now.set(piece, sections);
      return sections;
    };
    const isWhole = pieces.length === 1;
    let sections = (isWhole ? sectionTextsOf(pieces.join('')) : pieces).map(read);
    if (!isWhole && isCutWithin(sections)) sections = sectionTextsOf(pieces.join('')).map(read);
    known = now;
    return joined(sections.flat());
  };
}

/** Whether a piece begins with lines that belong to the last section of the one before. */
function isCutWithin([, ...others]: readonly (readonly Section[])[]): boolean {
  return others.some(([start]) => start !== undefined && start.header === '' && start.text !== '');
}

/** The text from each section's first line to the next one's; what stands before the first is one too. */
function sectionTextsOf(text: string): string[] {
  const starts = [0, ...[...text.matchAll(sectionStart)].map(({ index }) => index)];
  return starts.map((start, at) => text.slice(start, starts[at + 1])).filter((piece) => piece !== '');
}

function sectionOf(piece: string): Section {
  const hasHeader = piece.search(sectionStart) === 0;
  const lines: string[] = [];
  const servers = new Map<string, ServerLine>();
  const fixed: FixedServers[] = [];
  let header = '';
  let proxy: string | null = null;
  for (const raw of piece.split('\n')) {
    const line = raw.trim().replace(/\s+/g, ' ');
    if (line === '' || line.startsWith('#')) continue;
    if (hasHeader && header === '') {
      header = line;
      proxy = /^(?:listen|backend) (\S+)/.exec(line)?.[1] ?? null;
    }
    const [, name, address, rest = ''] = /^server ([^\s"'\\#;$]+) ([^\s"'\\#;$]+)(?: ([^"'\\#;$]*))?$/.exec(line) ?? [];
    if (proxy !== null && name !== undefined && address !== undefined) {
      servers.set(name, serverLineOf(address, rest));
      continue;
    }
    lines.push(line);
    fixed.push(...fixedServersOf(line));
  }
  return { header, text: lines.map((line) => `${line}\n`).join(''), proxy, servers, fixed };
}

/** Sections of one name are one, as HAProxy has it for `global` and `defaults`. */
function joined(read: readonly Section[]): Configuration {
  const sections = new Map<string, string>();
  const servers = new Map<string, ReadonlyMap<string, ServerLine>>();
  const fixed = new Map<string, readonly FixedServers[]>();
  for (const { header, text, proxy, servers: own, fixed: ownFixed } of read) {
    if (text !== '') sections.set(header, `${sections.get(header) ?? ''}${text}`);
    if (proxy === null) continue;
    const others = servers.get(proxy);
    servers.set(proxy, others === undefined ? own : new Map([...others, ...own]));
    if (ownFixed.length > 0) fixed.set(proxy, [...(fixed.get(proxy) ?? []), ...ownFixed]);
  }
  return { sections, servers, fixed };
}

/** Of a `server` or `server-template` line that is none for the runtime API; nothing for any other line. */
function fixedServersOf(line: string): FixedServers[] {
  const [keyword, name, count = ''] = wordsOf(line);
  if (name === undefined) return [];
  if (keyword === 'server') return [{ name, numbers: null }];
  const [, first = '', last] = /^(\d+)(?:-(\d+))?$/.exec(count) ?? [];
  if (keyword !== 'server-template' || first === '') return [];
  return [{ name, numbers: last === undefined ? [1, Number(first)] : [Number(first), Number(last)] }];
}

/** The words of a line as HAProxy reads them, without quotes, escapes and comment (configuration manual, chapter 2.2). */
function wordsOf(line: string): string[] {
  const words = line.match(/#.*|(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s"'\\#])+/g) ?? [];
  return words
    .filter((word) => !word.startsWith('#'))
    .map((word) =>
      word.replace(/'([^']*)'|\\(.)|"/g, (_all, quoted?: string, escaped?: string) => quoted ?? escaped ?? ''),
    );
}

/** Whether a server that HAProxy has is one of these. */
export function isFixed(fixed: readonly FixedServers[], server: string): boolean {
  return fixed.some(({ name, numbers }) => {
    if (numbers === null) return server === name;
    const number = server.startsWith(name) ? server.slice(name.length) : '';
    return /^(0|[1-9]\d*)$/.test(number) && Number(number) >= numbers[0] && Number(number) <= numbers[1];
  });
}

function serverLineOf(address: string, rest: string): ServerLine {
  const words = rest.split(' ');
  const at = words.indexOf('weight');
  const weight = at === -1 ? 1 : Number(words[at + 1]);
  if (at !== -1) words.splice(at, 2);
  return { address, weight, keywords: words.join(' ') };
}

/** What of the sections differs, in words: the reason of a reload. */
export function sectionChanges(before: Configuration, after: Configuration): ReloadReason[] {
  const added = [...after.sections.keys()].filter((header) => !before.sections.has(header));
  const removed = [...before.sections.keys()].filter((header) => !after.sections.has(header));
  const changed = [...after.sections].filter(([header, text]) => (before.sections.get(header) ?? text) !== text);
  return [
    ...added.map((header) => ({ cause: 'section_added' as const, text: `${titleOf(header)} added` })),
    ...removed.map((header) => ({ cause: 'section_removed' as const, text: `${titleOf(header)} removed` })),
    ...changed.map(([header]) => ({ cause: 'section_changed' as const, text: `${titleOf(header)} changed` })),
  ];
}

function titleOf(header: string): string {
  return header === '' ? 'the text before the first section' : header;
}

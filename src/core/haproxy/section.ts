import type { FixedServers, ServerLine } from './configuration.js';

// Configuration manual, chapter 2: a section begins with one of these words, whatever the indentation.
const sectionStart =
  /^[ \t]*(?=(?:global|defaults|frontend|listen|backend|userlist|peers|resolvers|mailers|program|http-errors|ring|cache|fcgi-app|log-forward|log-profile|crt-store|traces)(?:\s|$))/gm;

/** One section of the text. */
export interface Section {
  readonly header: string;
  readonly text: string;
  /** Of a `listen` or `backend`, its name; null of others, which have no servers of this kind. */
  readonly proxy: string | null;
  readonly servers: ReadonlyMap<string, ServerLine>;
  readonly fixed: readonly FixedServers[];
}

/** The text from each section's first line to the next one's; what stands before the first is one too. */
export function sectionTextsOf(text: string): string[] {
  const starts = [0, ...[...text.matchAll(sectionStart)].map(({ index }) => index)];
  return starts.map((start, at) => text.slice(start, starts[at + 1])).filter((piece) => piece !== '');
}

export function sectionOf(piece: string): Section {
  const hasHeader = piece.search(sectionStart) === 0;
  const lines: string[] = [];
  const servers = new Map<string, ServerLine>();
  const fixed: FixedServers[] = [];
  let header = '';
  let proxy: string | null = null;
  let last: ServerLine | null = null;
  for (const raw of piece.split('\n')) {
    const line = raw.trim().replace(/\s+/g, ' ');
    if (line === '' || line.startsWith('#')) continue;
    if (hasHeader && header === '') {
      header = line;
      proxy = /^(?:listen|backend) (\S+)/.exec(line)?.[1] ?? null;
    }
    const [, name, address, rest = ''] = /^server ([^\s"'\\#;$]+) ([^\s"'\\#;$]+)(?: ([^"'\\#;$]*))?$/.exec(line) ?? [];
    if (proxy !== null && name !== undefined && address !== undefined) {
      last = serverLineOf(address, rest, last);
      servers.set(name, last);
      continue;
    }
    lines.push(line);
    fixed.push(...fixedServersOf(line));
  }
  return { header, text: lines.map((line) => `${line}\n`).join(''), proxy, servers, fixed };
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

/**
 * There are many, and they are kept: keywords that are the same as those of the line before are the same string, and the address is a copy,
 * since a part of a string keeps all of it in memory (with 10,000 servers that is 5 MB).
 */
function serverLineOf(address: string, rest: string, before: ServerLine | null): ServerLine {
  const words = rest.split(' ');
  const at = words.indexOf('weight');
  const weight = at === -1 ? 1 : Number(words[at + 1]);
  if (at !== -1) words.splice(at, 2);
  const keywords = words.join(' ');
  return {
    address: address.split(':').join(':'),
    weight,
    keywords: keywords === before?.keywords ? before.keywords : keywords,
  };
}

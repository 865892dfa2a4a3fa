import type { Configuration, FixedServers, ServerLine } from './configuration.js';
import { sectionOf, sectionTextsOf, type Section } from './section.js';

/** What was read last. */
interface Reading {
  readonly pieces: readonly string[];
  /** Of each piece. */
  readonly sections: readonly (readonly Section[])[];
  readonly configuration: Configuration;
  /** No header, and no name of a proxy, is there twice. */
  readonly isPlain: boolean;
}

export function parseConfiguration(text: string): Configuration {
  return createConfigurationReader()([text]);
}

/**
 * Reads rendered configurations, of whatever template, one after the other. A piece that says the same as in the last one is not
 * read again, and its servers are the same objects as then; so are all `sections` and `fixed` where nothing but servers changed. A `server-template`,
 * and a `server` line that holds what the runtime API would read otherwise (quotes, comments, escapes, variables), count as part of their section.
 *
 * @param pieces the text, cut anywhere; best between sections
 */
export function createConfigurationReader(): (pieces: readonly string[]) => Configuration {
  let known = new Map<string, readonly Section[]>();
  let last: Reading | null = null;
  const read = (piece: string, at: number): readonly Section[] => {
    const before = last?.pieces[at] === piece ? last.sections[at] : known.get(piece);
    if (before !== undefined) return before;
    const sections = sectionTextsOf(piece).map(sectionOf);
    known.set(piece, sections);
    return sections;
  };
  return (pieces) => {
    let isCutHere = pieces.length === 1;
    let parts = isCutHere ? sectionTextsOf(pieces.join('')) : pieces;
    let sections = parts.map(read);
    if (!isCutHere && isCutWithin(sections)) {
      isCutHere = true;
      parts = sectionTextsOf(pieces.join(''));
      sections = parts.map(read);
    }
    // What is no longer said is forgotten now and then, so that most readings cost what they bring; but at once where a part of a text
    // would keep all of it in memory.
    if (isCutHere || known.size > 1.2 * parts.length + 10)
      known = new Map(parts.map((part, at) => [part, sections[at] ?? []]));
    const now = (last === null ? null : withOtherServers(last, sections)) ?? joined(sections);
    last = { ...now, pieces: parts };
    return last.configuration;
  };
}

/** Whether a piece begins with lines that belong to the last section of the one before. */
function isCutWithin(pieces: readonly (readonly Section[])[]): boolean {
  return pieces.some(([start], at) => at > 0 && start !== undefined && start.header === '' && start.text !== '');
}

/** Null where anything else is different. */
function withOtherServers(last: Reading, sections: Reading['sections']): Omit<Reading, 'pieces'> | null {
  if (!last.isPlain || sections.length !== last.sections.length) return null;
  let servers: Map<string, ReadonlyMap<string, ServerLine>> | null = null;
  const others: (readonly [readonly Section[], readonly Section[]])[] = [];
  sections.forEach((own, at) => {
    const before = last.sections[at] ?? [];
    if (own !== before) others.push([own, before]);
  });
  if (!others.every(([own, before]) => saysTheSame(own, before))) return null;
  for (const { proxy, servers: own } of others.flatMap(([now]) => now)) {
    servers ??= new Map(last.configuration.servers);
    if (proxy !== null) servers.set(proxy, own);
  }
  if (servers === null) return last;
  return { ...last, sections, configuration: { ...last.configuration, servers } };
}

/** But for the servers. Fixed ones are part of the text. */
function saysTheSame(some: readonly Section[], others: readonly Section[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ header, text }, at) => header === others[at]?.header && text === others[at].text)
  );
}

/** Sections of one name are one, as HAProxy has it for `global` and `defaults`. */
function joined(read: Reading['sections']): Omit<Reading, 'pieces'> {
  const sections = new Map<string, string>();
  const servers = new Map<string, ReadonlyMap<string, ServerLine>>();
  const fixed = new Map<string, readonly FixedServers[]>();
  let isPlain = true;
  for (const { header, text, proxy, servers: own, fixed: ownFixed } of read.flat()) {
    isPlain &&= !sections.has(header);
    if (text !== '') sections.set(header, `${sections.get(header) ?? ''}${text}`);
    if (proxy === null) continue;
    const others = servers.get(proxy);
    isPlain &&= others === undefined;
    servers.set(proxy, others === undefined ? own : new Map([...others, ...own]));
    if (ownFixed.length > 0) fixed.set(proxy, [...(fixed.get(proxy) ?? []), ...ownFixed]);
  }
  return { sections: read, configuration: { sections, servers, fixed }, isPlain };
}

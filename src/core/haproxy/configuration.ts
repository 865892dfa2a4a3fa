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

/** Whether a server that HAProxy has is one of these. */
export function isFixed(fixed: readonly FixedServers[], server: string): boolean {
  return fixed.some(({ name, numbers }) => {
    if (numbers === null) return server === name;
    const number = server.startsWith(name) ? server.slice(name.length) : '';
    return /^(0|[1-9]\d*)$/.test(number) && Number(number) >= numbers[0] && Number(number) <= numbers[1];
  });
}

/** What of the sections differs, in words: the reason of a reload. */
export function sectionChanges(before: Configuration, after: Configuration): ReloadReason[] {
  if (before.sections === after.sections) return [];
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

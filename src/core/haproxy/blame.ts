/** What a section begins with, as far as it has a name: `listen whoami:8000`. */
const header = /^[ \t]*(?:listen|frontend|backend)[ \t]+(\S+)/;
const position = /\[[^\]\s]*:(\d+)\]/;

/**
 * Whom HAProxy's alerts about a configuration are about: `config : parsing [/run/haproxy.cfg:57] : unknown keyword …` by the
 * section in which that line stands, `config : proxy 'whoami:8000' …` by name.
 *
 * @param names of the listeners that may be to blame
 * @returns by name of the listener, HAProxy's words without the position, which moves with its neighbours
 */
export function blamedOf(
  alerts: readonly string[],
  { text, names }: { readonly text: string; readonly names: ReadonlySet<string> },
): Map<string, string> {
  const lines = text.split('\n');
  const blamed = new Map<string, string>();
  for (const alert of alerts) {
    const name = byPosition(alert, lines, names) ?? wordsOf(alert).find((word) => names.has(word));
    if (name !== undefined && !blamed.has(name)) blamed.set(name, withoutPosition(alert));
  }
  return blamed;
}

/** An alert as a reason that stays the same while other sections come and go. */
export function withoutPosition(alert: string): string {
  return alert
    .replace(/^config : /, '')
    .replace(/^parsing (?=\[)/i, '')
    .replace(/^\[[^\]\s]*:\d+\] ?: ?/, '');
}

function byPosition(alert: string, lines: readonly string[], names: ReadonlySet<string>): string | undefined {
  const [, line] = position.exec(alert) ?? [];
  for (let at = Math.min(Number(line ?? 0), lines.length) - 1; at >= 0; at -= 1) {
    const [, section] = header.exec(lines[at] ?? '') ?? [];
    if (section !== undefined) return wordsOf(section).find((word) => names.has(word));
  }
  return undefined;
}

/** Runs of what a listener's name is made of. */
function wordsOf(text: string): string[] {
  return text.split(/[^A-Za-z0-9._:-]+/);
}

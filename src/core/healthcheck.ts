/** Docker's own HEALTHCHECK of a container, as the container was started with it. */
export interface HealthCheck {
  /** What it runs, its words with a space between; empty where that is longer than anybody writes. */
  readonly command: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that make the container unhealthy. */
  readonly retries: number;
}

/**
 * How long a process may be frozen before Docker calls its container unhealthy, ms, in whole seconds: it waits for the interval, and
 * then for an answer that does not come, as often as it must fail.
 */
export function unhealthyAfterMs({ intervalMs, timeoutMs, retries }: HealthCheck): number {
  return Math.ceil((retries * (intervalMs + timeoutMs)) / 1000) * 1000;
}

/** Options that change nothing of what is asked, and of what is a failure, with what may be their value; null: they have none. */
type Options = ReadonlyMap<string, RegExp | null>;

const time = /^\d+(?:\.\d+)?$/;
const nowhere = /^\/dev\/null$/;
const printed = /^(?:-|\/dev\/null)$/;

/** Not here: what follows another answer (`-L`), asks by another method (`-I`), or asks somebody else (`-x`, `--unix-socket`). */
const curlOptions: Options = new Map([
  ...['-f', '--fail', '--fail-with-body'].map((name) => [name, null] as const),
  ...['-s', '--silent', '-S', '--show-error', '-q', '-k', '--insecure'].map((name) => [name, null] as const),
  ...['-o', '--output'].map((name) => [name, nowhere] as const),
  ...['-m', '--max-time', '--connect-timeout'].map((name) => [name, time] as const),
]);
const wgetOptions: Options = new Map([
  ...['-q', '--quiet', '-nv', '--no-verbose', '--spider'].map((name) => [name, null] as const),
  ...['-O', '--output-document'].map((name) => [name, printed] as const),
  ...['-T', '--timeout', '-t', '--tries'].map((name) => [name, time] as const),
  ['-Y', /^off$/],
]);

/** Its output may go where nobody reads it, and its failure must be that of the whole: `exit 256` is none. */
const ending =
  /(?:(?: +[12]| *)>{1,2} *(?:\/dev\/null|&[12]))*(?: *\|\| *(?:exit +(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])|false) *;?)?$/;

const ownUrl = /^(["']?)http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?(\/[\w.~/-]*)?\1$/;
/** curl resolves them before it asks, and HAProxy does not. */
const dots = /\/\.{1,2}(?:\/|$)/;

/**
 * Whether a HEALTHCHECK asks by its own words what an HTTP check of this path at this port asks: curl or wget, one request, and its
 * failure is the failure of the whole. What can't be seen to be the same is not.
 */
export function asksTheSame({ command }: HealthCheck, port: number, path: string): boolean {
  // Each word is a name, an option with its value or the URL, and none of these has anything that a shell would read otherwise.
  const [program = '', ...words] = command.trim().replace(ending, '').split(/ +/);
  if (/^(?:[\w./-]*\/)?busybox$/.test(program)) return words[0] === 'wget' && isWget(words.slice(1), port, path);
  const name = /^(?:[\w./-]*\/)?(curl|wget)$/.exec(program)?.[1];
  return name === 'wget' ? isWget(words, port, path) : name === 'curl' && isCurl(words, port, path);
}

function isCurl(words: readonly string[], port: number, path: string): boolean {
  const read = readWords(words, curlOptions);
  // Without it, an answer of any status is a success.
  const isFailing = read?.given.some((name) => name === '-f' || name.startsWith('--fail')) === true;
  return isFailing && isUrlOf(read.others, port, path);
}

function isWget(words: readonly string[], port: number, path: string): boolean {
  const apart = words.flatMap((word) => (/^--[a-z-]+=/.test(word) ? word.split(/=(.*)/, 2) : [word]));
  const read = readWords(apart, wgetOptions);
  return read !== null && isUrlOf(read.others, port, path);
}

function isUrlOf(words: readonly string[], port: number, path: string): boolean {
  const [, , portText = '80', asked = '/'] = ownUrl.exec(words[0] ?? '') ?? ['', '', ''];
  return words.length === 1 && Number(portText) === port && asked === path && !dots.test(asked);
}

/** The options that are given, and what else there is; null where one is not among the allowed, or has another value. */
function readWords(
  words: readonly string[],
  options: Options,
): { readonly given: readonly string[]; readonly others: readonly string[] } | null {
  const [given, others, left]: [string[], string[], string[]] = [[], [], [...words]];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (!word.startsWith('-')) {
      others.push(word);
      continue;
    }
    // Of single letters there may be several in one word, and the last may have its value there: `-fsSm2`.
    const isWhole = word.startsWith('--') || options.has(word);
    const [name, more] = isWhole ? [word, ''] : [word.slice(0, 2), word.slice(2)];
    const allowed = options.get(name);
    if (allowed === undefined) return null;
    given.push(name);
    if (allowed === null) {
      if (more.startsWith('-')) return null;
      if (more !== '') left.unshift(`-${more}`);
    } else if (!allowed.test(more === '' ? (left.shift() ?? '') : more)) return null;
  }
  return { given, others };
}

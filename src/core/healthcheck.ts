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

/** What neither runs another command, nor sends anything elsewhere: of options, and of their values. */
const plain = '[^|;&<>$`()\\\\]*?';
const request = new RegExp(
  [
    /^(?:[\w./-]*busybox +)?(?:[\w./-]*\/)?(curl|wget)/,
    `((?: ${plain})?) `,
    /["']?http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?(\/[\w.~/-]*)?["']?/,
    `((?: ${plain})?)`,
    // Its output may go where nobody reads it, and its failure must be that of the whole.
    /(?: *[12&]?>{1,2} *(?:\/dev\/null|&[12]))*(?: *\|\| *(?:exit +[1-9]\d{0,2}|false) *;?)? *$/,
  ]
    .map((part) => (typeof part === 'string' ? part : part.source))
    .join(''),
);

/** curl takes an answer of any status for a success without it; wget does not. */
const failsOnStatus = / (?:-[a-zA-Z]*f[a-zA-Z]*|--fail(?:-with-body)?)(?= |$)/;

/**
 * Whether a HEALTHCHECK asks by its own words what an HTTP check of this path at this port asks: curl or wget, one request, and its
 * failure is the failure of the whole. What can't be seen to be the same is not.
 */
export function asksTheSame({ command }: HealthCheck, port: number, path: string): boolean {
  const [, program, before = '', portText = '80', asked = '/', after = ''] = request.exec(command.trim()) ?? [];
  if (program === undefined || command.split('://').length !== 2) return false;
  if (program === 'curl' && !failsOnStatus.test(`${before} ${after} `)) return false;
  return Number(portText) === port && asked === path;
}

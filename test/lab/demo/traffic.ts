import type { Host } from '../host.js';

export interface Request {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly ok: boolean;
  /** The container that has answered, or what curl had to say. */
  readonly answer: string;
}

export interface Traffic {
  /** Who has answered so far, in order. */
  answers(): readonly string[];
  /** Ends the traffic, with no request cut short, and counts the requests. */
  end(): Promise<{ readonly requests: number; readonly failures: readonly Request[] }>;
}

/** One request to a whoami after the other, each with a connection of its own; at most for a minute. */
export function startTraffic(host: Host, url: string): Traffic {
  // The loop looks at its stdin between two requests: nothing there is status 142, its end is status 1.
  const child = host.spawn(
    `while ((SECONDS < 60)) && read -r -t 0.01; (($? > 128)); do
       start=$EPOCHREALTIME
       out=$(curl -sS --max-time 10 -w ' %{http_code}' ${url} 2>&1) && code=0 || code=$?
       echo "$start $EPOCHREALTIME $code \${out//$'\\n'/ }"
     done`,
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const closed = new Promise((resolve) => child.stdout.once('close', resolve));
  const requests = (): readonly Request[] => output.split('\n').slice(0, -1).map(parseRequest);
  return {
    answers: () => requests().flatMap(({ ok, answer }) => (ok ? [answer] : [])),
    end: async () => {
      child.stdin.end();
      await closed;
      return { requests: requests().length, failures: requests().filter(({ ok }) => !ok) };
    },
  };
}

/**
 * Runs a command that kills containers of a host, and returns a predicate: may this request have been in the hands of one of them
 * at that moment? Such a request dies with its container, whatever stands in front of it. The engine notes a kill just after the
 * signal went out, so the moment lies between the command's start and that note; both are times of this machine's clock.
 */
export async function killing(host: Host, kill: () => Promise<unknown>): Promise<(request: Request) => boolean> {
  const fromMs = Date.now();
  await kill();
  const since = `--since ${(fromMs / 1000).toFixed(3)} --until "$EPOCHREALTIME"`;
  const { stdout } = await host.run(`docker events ${since} --filter event=kill --format '{{.TimeNano}}'`);
  const untilMs = Math.max(
    ...stdout
      .trim()
      .split('\n')
      .map((nanos) => Number(nanos) / 1e6),
  );
  return ({ startedAtMs, endedAtMs }) => startedAtMs < untilMs && endedAtMs > fromMs;
}

/** The containers that have answered in the output of one or more curls. */
export function answersIn(output: string): string[] {
  return [...output.matchAll(/I'm (\w+)/g)].map(([, id]) => id ?? '');
}

function parseRequest(line: string): Request {
  const [start, end, code, ...rest] = line.split(' ');
  const text = rest.join(' ');
  const ok = code === '0' && text.endsWith(' 200');
  return {
    startedAtMs: Number(start) * 1000,
    endedAtMs: Number(end) * 1000,
    ok,
    answer: ok ? (answersIn(text)[0] ?? text) : text,
  };
}

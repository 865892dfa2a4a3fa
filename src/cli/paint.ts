import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';

export type Tone = 'good' | 'bad' | 'doubtful' | 'heading';

/** Text in the colour of its tone; nothing stays nothing. */
export type Paint = (tone: Tone, text: string) => string;

export const plain: Paint = (_tone, text) => text;

const styles = { good: 'green', bad: 'red', doubtful: 'yellow', heading: 'bold' } as const;

/** Colours on a terminal that has them, unless NO_COLOR is set (no-color.org). */
export function paintFor(stream: Pick<WriteStream, 'isTTY' | 'hasColors'>, env: NodeJS.ProcessEnv): Paint {
  if (!stream.isTTY || env['NO_COLOR'] !== undefined || !stream.hasColors(env)) return plain;
  // Whether the stream takes colours was asked above; what Node itself asks differs from version to version.
  return (tone, text) => (text === '' ? '' : styleText(styles[tone], text, { validateStream: false }));
}

/** Of an endpoint as HAProxy calls it (`UP`, `DOWN 1/2`, `MAINT`); null where nothing speaks for or against it. */
function toneOf(status: string): Tone | null {
  if (status === 'no check') return null;
  if (status === 'UP') return 'good';
  return status.startsWith('DOWN') ? 'bad' : 'doubtful';
}

/** A status in its colour, with what is said beside it. */
export function paintedStatus(paint: Paint, { status, stale }: StatusLike, text: string): string {
  const tone = toneOf(status);
  if (tone === null) return text;
  return paint(stale && tone === 'good' ? 'doubtful' : tone, text);
}

interface StatusLike {
  readonly status: string;
  readonly stale: boolean;
}

import type { PageUpdate } from '../core/page-update.js';

export interface Contact {
  readonly onUpdate: (update: PageUpdate) => void;
  readonly onLost: () => void;
}

/** The daemon speaks every five seconds at least. */
const silentMs = 12_000;
const againMs = 2_000;

/** Follows the daemon while somebody looks, again and again. */
export function follow({ onUpdate, onLost }: Contact): void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const close = (): void => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const open = (): void => {
    close();
    source = new EventSource('events');
    source.onmessage = ({ data }: MessageEvent<string>) => {
      waitForNext(silentMs);
      onUpdate(JSON.parse(data) as PageUpdate);
    };
    source.onerror = () => {
      onLost();
      // It would try again by itself, but not where it was sent away.
      close();
      timer = setTimeout(open, againMs);
    };
    waitForNext(silentMs);
  };
  const waitForNext = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      onLost();
      open();
    }, ms);
  };

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close();
    else open();
  });
  if (!document.hidden) open();
}

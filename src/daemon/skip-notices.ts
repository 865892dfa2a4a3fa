import { shortIdOf, type ContainerSnapshot } from '../core/container.js';
import type { Misread } from '../core/found.js';
import type { Skipped } from '../core/registrations.js';
import { printable } from '../core/result.js';
import type { Logger } from '../ports/log.js';

/** What is not registered, or not as it was meant. */
export interface Notice {
  readonly container: ContainerSnapshot;
  readonly skipped: readonly Skipped[];
  readonly misread: readonly Misread[];
}

export interface SkipNotices {
  /** What there is to tell of something, in place of what there was; null for what is gone. Each is told once, until it is otherwise. */
  tell(of: string, notice: Notice | null): void;
}

export function createSkipNotices(log: Logger): SkipNotices {
  const told = new Map<string, ReadonlyMap<string, string>>();

  const tellSkipped = (container: ContainerSnapshot, { containerPort, reason, mend, isDoubtful }: Skipped): void => {
    const fields = { container: container.name, id: shortIdOf(container.id), containerPort, reason, mend };
    log[isDoubtful ? 'warn' : 'debug'](fields, 'skipped');
  };

  const tellMisread = (container: ContainerSnapshot, { source, value, allowed }: Misread): void => {
    const [id, shown] = [shortIdOf(container.id), printable(value, 80)];
    log.warn({ container: container.name, id, source, value: shown, allowed }, 'not understood; the default holds');
  };

  return {
    tell(of, notice) {
      const before = told.get(of);
      const now = new Map<string, string>();
      for (const one of notice?.skipped ?? []) {
        const about = one.containerPort ?? '';
        if (notice !== null && before?.get(about) !== one.reason) tellSkipped(notice.container, one);
        now.set(about, one.reason);
      }
      for (const one of notice?.misread ?? []) {
        if (notice !== null && before?.get(one.source) !== one.value) tellMisread(notice.container, one);
        now.set(one.source, one.value);
      }
      if (now.size === 0) told.delete(of);
      else told.set(of, now);
    },
  };
}

export interface Alarm {
  /** Rings once, in `inMs` or sooner if it is set to sooner already. */
  set(inMs: number): void;
  /** Rings no more until it is set again. */
  clear(): void;
}

export function createAlarm(ring: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Infinity;
  const clear = (): void => {
    clearTimeout(timer);
    dueAt = Infinity;
  };
  return {
    set(inMs) {
      const at = performance.now() + inMs;
      if (at >= dueAt) return;
      clear();
      dueAt = at;
      timer = setTimeout(() => {
        clear();
        ring();
      }, inMs);
    },
    clear,
  };
}

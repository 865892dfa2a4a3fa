export interface InTurn<M, T> {
  /** Whom to ask, the best first. */
  readonly members: readonly M[];
  readonly ask: (member: M) => Promise<T>;
  /** So long a member may be silent before the next is asked as well. */
  readonly patienceMs: number;
  /** Whether another member may know better; otherwise the error is the answer. */
  readonly isLocal: (error: unknown) => boolean;
  readonly signal: AbortSignal;
}

/**
 * The first answer of any member. One that fails is followed by the next at once; one that is silent is still listened
 * to while the next is asked: a stopped member costs a moment, a slow network nothing. So only what may happen twice
 * can be asked this way.
 *
 * @throws NoMemberError where every member failed; the error itself where it is not that of one member alone; the
 * signal's reason when it fires
 */
export function askInTurn<M, T>({
  members,
  ask,
  patienceMs,
  isLocal,
  signal,
}: InTurn<M, T>): Promise<{ readonly member: M; readonly answer: T }> {
  return new Promise((resolve, reject) => {
    const waiting = [...members];
    const failures: MemberFailure<M>[] = [];
    let timer: NodeJS.Timeout | undefined;

    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      waiting.length = 0;
    };
    const fail = (error: Error): void => {
      end();
      reject(error);
    };
    const onAbort = (): void => {
      fail(signal.reason as Error);
    };
    const onFailure = (member: M, error: unknown): void => {
      failures.push({ member, error });
      if (!isLocal(error)) fail(error as Error);
      else if (waiting.length > 0) askNext();
      else if (failures.length === members.length) fail(new NoMemberError(failures));
    };
    const askNext = (): void => {
      clearTimeout(timer);
      const member = waiting.shift();
      if (member === undefined) return;
      if (waiting.length > 0) timer = setTimeout(askNext, patienceMs);
      ask(member).then(
        (answer) => {
          end();
          resolve({ member, answer });
        },
        (error: unknown) => {
          onFailure(member, error);
        },
      );
    };

    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    askNext();
  });
}

export interface MemberFailure<M> {
  readonly member: M;
  readonly error: unknown;
}

/** Every member failed, each in its own way. */
export class NoMemberError<M> extends Error {
  override readonly name = 'NoMemberError';
  constructor(readonly failures: readonly MemberFailure<M>[]) {
    super('no member answered');
  }
}

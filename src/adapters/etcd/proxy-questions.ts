import type { Etcd3, IWatchResponse } from 'etcd3';
import type { Member } from './client.js';

type Request = Parameters<Awaited<ReturnType<Etcd3['watchClient']['watch']>>['write']>[0];

/** Of the questions, one in so many goes to etcd behind the proxy. */
const throughEvery = 5;

/**
 * What a gRPC proxy of etcd is asked in place of a progress request, which it does not answer, and before etcd 3.4.19 even dies
 * of. Most of it the proxy answers from its memory, so that it costs etcd nothing: it lives. Now and then etcd itself is asked
 * for its revision; and another watch is opened for a moment, on the stream that the proxy has to one member for all watches:
 * the member says then at which revision it is. One that is frozen does not; one that is cut off from the others stays behind.
 */
export interface ProxyQuestions {
  /** @throws where the proxy, or etcd behind it, does not answer by the deadline, or answers what is too old */
  ask(deadline: number): Promise<void>;
  isOurs(response: IWatchResponse): boolean;
  /**
   * @param response of the other watch
   * @returns why ours is of no use, or null
   */
  reasonIn(response: IWatchResponse): string | null;
}

export function createProxyQuestions({
  member,
  key,
  id,
  revision,
  write,
}: {
  readonly member: Member;
  /** One that nobody has, and that may be read. */
  readonly key: Buffer;
  /** Of our watch. */
  readonly id: string;
  /** Of etcd, before our watch began. */
  readonly revision: number;
  readonly write: (request: Request) => void;
}): ProxyQuestions {
  let asked = 0;
  /** Of etcd, when it was asked last, and the time before: since then every member that is not cut off has come so far. */
  let then = revision;
  let before = revision;
  let isOpening = false;

  return {
    async ask(deadline) {
      const serializable = asked % throughEvery !== 0;
      asked += 1;
      const { header } = await member.use(
        ({ kv }, options) => kv.range({ key, count_only: true, serializable }, options),
        deadline,
      );
      if (serializable) return;
      if (isOpening) throw new Error('the member of etcd that the proxy listens to does not answer');
      [before, then, isOpening] = [then, Number(header.revision), true];
      write({ create_request: { key } });
    },

    isOurs: (response) => response.watch_id === id,

    reasonIn({ created, canceled, watch_id: other, header }) {
      if (!created) return null;
      isOpening = false;
      // Refused: that tells nothing of the member.
      if (canceled) return null;
      write({ cancel_request: { watch_id: other } });
      if (Number(header.revision) >= before) return null;
      return `the member of etcd that the proxy listens to is at revision ${header.revision}, the others were at ${String(before)} some time ago`;
    },
  };
}

import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import type { Etcd3 } from 'etcd3';
import { messageOf } from '../../core/errors.js';

/** A user of etcd. */
export interface EtcdUser {
  readonly name: string;
  readonly password: string;
}

/** The user's token at one member: each member forgets a token by itself (`--auth-token-ttl`). */
export interface Login {
  /** Gets a token where there is none. */
  begin(etcd: Etcd3, deadline: number): Promise<void>;
  /** For each call and stream: shows the token. */
  readonly interceptor: Interceptor;
  /** Null where etcd gave none, as it asks nobody who they are (yet). */
  token(): string | null;
  /**
   * Whether a new token may mend an error that came with this one. Then the next `begin` gets one, unless another call has
   * got it already.
   */
  forgets(token: string | null, error: unknown): boolean;
}

/** What etcd says of a token that it does not know (any more), that is older than a change of rights, or that is missing. */
const refusals = /etcdserver: (?:invalid auth token|revision of auth store is old|user name is empty)/;
/** How it is told instead. */
export const tokenRefused = 'the token of the user is refused';

/**
 * Not etcd3's own, which opens a connection for each token and leaves it open, asks without end where a new token is refused
 * too, never renews one for a stream, and fails until etcd has been told to ask for users at all.
 */
export function createLogin({ name, password }: EtcdUser): Login {
  /** Undefined where none was asked for. */
  let token: string | null | undefined;
  let pending: Promise<void> | null = null;

  const authenticate = async (etcd: Etcd3, deadline: number): Promise<void> => {
    try {
      token = (await etcd.auth.authenticate({ name, password }, { deadline })).token;
    } catch (error) {
      // So a user can be set here before `etcdctl auth enable`.
      if (!messageOf(error).includes('etcdserver: authentication is not enabled')) throw error;
      token = null;
    }
  };

  return {
    async begin(etcd, deadline) {
      if (token !== undefined) return;
      pending ??= authenticate(etcd, deadline).finally(() => {
        pending = null;
      });
      await pending;
    },
    token: () => token ?? null,
    forgets(old, error) {
      if (!isRefused(error, old)) return false;
      if (token === old) token = undefined;
      return true;
    },
    interceptor: (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start(metadata, listener, next) {
          if (typeof token === 'string') metadata.set('token', token);
          next(metadata, {
            onReceiveStatus(status, nextStatus) {
              // In other words than etcd's: by those etcd3 asks again with the same token, until the deadline.
              nextStatus({ ...status, details: status.details.replace(refusals, tokenRefused) });
            },
          });
        },
      }),
  };
}

/**
 * A watch is not refused by an error but by an answer, and etcd up to 3.4 calls a token
 * that it does not know a missing right there.
 */
function isRefused(error: unknown, token: string | null): boolean {
  const message = messageOf(error);
  if (message.includes(tokenRefused)) return true;
  const isWatch = message.startsWith(watchRefused);
  if (isWatch && refusals.test(message)) return true;
  // Without a token, etcd takes the name in a client certificate for the user, once it asks for users.
  return (isWatch || token === null) && message.includes('etcdserver: permission denied');
}

/** How errors of a watch begin that etcd has ended by an answer. */
export const watchRefused = 'cancelled: ';

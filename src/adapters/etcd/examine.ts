import http from 'node:http';
import https from 'node:https';
import type { Etcd3, IWatchResponse } from 'etcd3';
import type { ClockFacts, MemberFacts, MemberStatus } from '../../core/doctor/etcd.js';
import type { Asked } from '../../core/doctor/finding.js';
import { asked, codeOf } from '../asked.js';
import type { EtcdClient, Member } from './client.js';
import type { EtcdTls } from './connection.js';
import { isDenied, isFull, isOfTls, reasonOf } from './failure.js';
import { watchRefused } from './login.js';
import { rangeOf } from './registry.js';
import { cancelStream } from './watch.js';

const callTimeoutMs = 5_000;
/** Enough for a median; or as many as there is time for, on a slow network. */
const questions = 5;
const questioningMs = 2_000;
/** Like the one of `drain:`, a name that no service has; it is never put, only asked about. */
const probe = 'doctor:/probe';

/** Each member in its own words, and how long it takes for them. Does not ask the others, so it answers without a leader too. */
export async function examineMember({ host, use }: Member): Promise<MemberFacts> {
  const question = (): ReturnType<Etcd3['maintenance']['status']> =>
    use(({ maintenance }, options) => maintenance.status(options), Date.now() + callTimeoutMs);
  const status = await ask(async (): Promise<MemberStatus> => {
    // The first one opens the connection.
    const { header, version, leader, isLearner, errors, dbSize } = await question();
    const latenciesMs = await latenciesOf(question);
    return {
      version,
      clusterId: header.cluster_id,
      knowsLeader: leader !== '0',
      isLearner,
      errors,
      sizeBytes: Number(dbSize),
      latenciesMs,
    };
  });
  return { host, status };
}

/**
 * Whether a key may be put below the prefix, by a transaction whose put is never reached: etcd looks at rights and space for
 * all of it, the members agree on it like on any other, and nobody who watches sees a thing.
 *
 * @returns how long each of some took
 */
export function examineWrite(client: EtcdClient, keyspace: string, signal: AbortSignal): Promise<Asked<number[]>> {
  const key = Buffer.from(`${keyspace}${probe}`);
  const question = (): Promise<unknown> =>
    client.call({
      ask: ({ kv }, options) =>
        kv.txn(
          {
            // A key that is not there has version 0, and no key less.
            compare: [{ key, target: 'Version', result: 'Less', version: '0' }],
            success: [{ request_put: { key, value: Buffer.from('') } }],
          },
          options,
        ),
      signal,
    });
  return ask(async () => {
    // Not counted: it may have to open the connection.
    await question();
    return latenciesOf(question);
  });
}

async function latenciesOf(question: () => Promise<unknown>): Promise<number[]> {
  const latenciesMs: number[] = [];
  const until = performance.now() + questioningMs;
  do {
    const askedAt = performance.now();
    await question();
    latenciesMs.push(performance.now() - askedAt);
  } while (latenciesMs.length < questions && performance.now() < until);
  return latenciesMs;
}

/** How many keys stand below it. */
export function examineRead(client: EtcdClient, keyspace: string, signal: AbortSignal): Promise<Asked<number>> {
  return ask(() =>
    client.call({
      ask: async ({ kv }, options) =>
        Number((await kv.range({ ...rangeOf(keyspace), count_only: true }, options)).count),
      signal,
    }),
  );
}

/** Opens a watch, and ends it when etcd says that it stands. */
export function examineWatch(client: EtcdClient, keyspace: string, signal: AbortSignal): Promise<Asked<null>> {
  return ask(() =>
    client.call({
      ask: async ({ watchClient }, options) => {
        const stream = await watchClient.watch(options);
        try {
          await new Promise<void>((resolve, reject) => {
            stream.on('data', ({ created, canceled, cancel_reason }: IWatchResponse) => {
              if (canceled) reject(new Error(`${watchRefused}${cancel_reason}`));
              else if (created) resolve();
            });
            stream.on('error', reject);
            stream.on('end', () => {
              reject(new Error('etcd ended the stream'));
            });
            stream.write({ create_request: rangeOf(keyspace) });
          });
          return null;
        } finally {
          cancelStream(stream);
        }
      },
      signal,
    }),
  );
}

/** By the date that every answer over HTTP has, also that of `/version`; in whole seconds. */
export async function examineClock(
  { host }: Pick<Member, 'host'>,
  tls: EtcdTls | null,
  signal: AbortSignal,
): Promise<ClockFacts> {
  const clock = await asked(async () => {
    const [sentAt, sentAtMs] = [Date.now(), performance.now()];
    const date = Date.parse(await dateOf(`${host}/version`, tls, signal));
    const roundTripMs = performance.now() - sentAtMs;
    if (Number.isNaN(date)) throw new Error('its answer has no date');
    return { aheadMs: date + 500 - (sentAt + roundTripMs / 2), doubtMs: 500 + roundTripMs / 2 };
  });
  return { host, clock };
}

/** What the answer says of the time at which it was given. */
function dateOf(url: string, tls: EtcdTls | null, signal: AbortSignal): Promise<string> {
  const { ca = null, identity = null } = tls ?? {};
  const trust = {
    ...(ca !== null && { ca }),
    ...(identity !== null && { cert: identity.certificate, key: identity.key }),
  };
  return new Promise((resolve, reject) => {
    const request = tls === null ? http.get(url, { signal }) : https.get(url, { signal, ...trust });
    request.once('error', reject);
    request.once('response', (response) => {
      response.destroy();
      resolve(response.headers.date ?? '');
    });
  });
}

function ask<T>(question: () => Promise<T>): Promise<Asked<T>> {
  return asked(question, (error) => {
    const code = isFull(error) ? 'full' : isDenied(error) ? 'denied' : isOfTls(error) ? 'tls' : codeOf(error);
    return { reason: reasonOf(error), code };
  });
}

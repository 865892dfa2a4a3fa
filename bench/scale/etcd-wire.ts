import { Client, credentials, Metadata } from '@grpc/grpc-js';

/**
 * etcd's questions byte by byte, for client hosts that keep nothing: to read an answer of 20,000 keys takes the process that stands
 * for a hundred of them a hundred times what it takes a host. What is asked is what `src/adapters/etcd` asks.
 */
export interface Wire {
  /** One page. */
  range(request: RangeRequest, deadline: number): Promise<Page>;
  watch(request: WatchRequest, onResponse: (response: WatchResponse) => void, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface RangeRequest {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  readonly limit: number;
  /** 0 for that of now. */
  readonly revision: number;
  /** Their number, and none of them. */
  readonly countOnly?: boolean;
}

export interface Page {
  readonly revision: number;
  readonly isLast: boolean;
  /** Of its keys, unread. */
  readonly entries: readonly Buffer[];
}

export interface WatchRequest {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  readonly startRevision: number;
}

export interface WatchResponse {
  readonly revision: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly isAsked: boolean;
  readonly events: readonly Buffer[];
}

export interface Entry {
  readonly key: string;
  readonly isNew: boolean;
  readonly modRevision: number;
  readonly value: Buffer;
  readonly lease: string;
}

const questionMs = 2_000;
const silenceMs = 5_000;
const watchId = 1;

/** @param url of one member; the connection is this one's own */
export function createWire(url: string): Wire {
  const client = new Client(new URL(url).host, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
    'grpc.use_local_subchannel_pool': 1,
  });
  const same = (bytes: Buffer): Buffer => bytes;

  return {
    range({ key, rangeEnd, limit, revision, countOnly = false }, deadline) {
      const fields = [bytes(1, key), bytes(2, rangeEnd), number(3, limit), number(4, revision)];
      const request = Buffer.concat([...fields, number(9, Number(countOnly))]);
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest('/etcdserverpb.KV/Range', same, same, request, { deadline }, (error, answer) => {
          if (error !== null) reject(error);
          else resolve(pageOf(answer ?? Buffer.alloc(0)));
        });
      });
    },

    async watch({ key, rangeEnd, startRevision }, onResponse, signal) {
      const metadata = new Metadata();
      metadata.set('hasleader', 'true');
      const stream = client.makeBidiStreamRequest('/etcdserverpb.Watch/Watch', same, same, metadata);
      const questions = setInterval(() => stream.write(bytes(3, Buffer.alloc(0))), questionMs);
      let silence: NodeJS.Timeout | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => {
            resolve();
          });
          silence = setTimeout(() => {
            reject(new Error('no word'));
          }, silenceMs);
          stream.on('data', (answer: Buffer) => {
            silence?.refresh();
            const response = watchResponseOf(answer);
            if (response.canceled) reject(new Error('canceled'));
            else onResponse(response);
          });
          stream.on('error', reject);
          stream.on('end', () => {
            reject(new Error('the stream ended'));
          });
          const create = [bytes(1, key), bytes(2, rangeEnd), number(3, startRevision), number(7, watchId)];
          stream.write(bytes(1, Buffer.concat(create)));
        });
      } finally {
        clearInterval(questions);
        clearTimeout(silence);
        stream.on('error', () => undefined);
        stream.cancel();
      }
    },

    close: () => {
      client.close();
    },
  };
}

function pageOf(answer: Buffer): Page {
  let revision = 0;
  let isLast = true;
  const entries: Buffer[] = [];
  read(answer, (field, value) => {
    if (field === 1) revision = revisionOf(value);
    else if (field === 2 && typeof value !== 'number') entries.push(value);
    else if (field === 3) isLast = value === 0;
  });
  return { revision, isLast, entries };
}

function watchResponseOf(answer: Buffer): WatchResponse {
  let revision = 0;
  let id = 0;
  let created = false;
  let canceled = false;
  const events: Buffer[] = [];
  read(answer, (field, value) => {
    if (field === 1) revision = revisionOf(value);
    else if (field === 2) id = Number(value);
    else if (field === 3) created = value === 1;
    else if (field === 4) canceled = value === 1;
    else if (field === 11 && typeof value !== 'number') events.push(value);
  });
  return { revision, created, canceled, isAsked: id !== watchId, events };
}

function revisionOf(header: number | Buffer): number {
  let revision = 0;
  if (typeof header !== 'number')
    read(header, (field, value) => {
      if (field === 3) revision = Number(value);
    });
  return revision;
}

export function eventOf(event: Buffer): { readonly kind: 'put' | 'delete'; readonly entry: Entry } {
  let kind: 'put' | 'delete' = 'put';
  const found: Entry[] = [];
  read(event, (field, value) => {
    if (field === 1) kind = value === 1 ? 'delete' : 'put';
    else if (field === 2 && typeof value !== 'number') found.push(entryOf(value));
  });
  const [entry] = found;
  if (entry === undefined) throw new RangeError('an event without a key');
  return { kind, entry };
}

export function entryOf(bytesOfEntry: Buffer): Entry {
  let key = '';
  let version = 0;
  let modRevision = 0;
  let value: Buffer = Buffer.alloc(0);
  let lease = '0';
  read(bytesOfEntry, (field, found, at) => {
    if (typeof found !== 'number') {
      if (field === 1) key = found.toString();
      else if (field === 5) value = found;
    } else if (field === 3) modRevision = found;
    else if (field === 4) version = found;
    else if (field === 6) lease = String(exactly(bytesOfEntry, at));
  });
  return { key, isNew: version === 1, modRevision, value, lease };
}

/** Protobuf: each field as it stands; numbers beyond 2^53 lose their last digits. */
function read(message: Buffer, onField: (field: number, value: number | Buffer, at: number) => void): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const start = at;
    if ((tag & 7) === 0) onField(tag >>> 3, varint(), start);
    else if ((tag & 7) === 2) {
      const end = varint() + at;
      onField(tag >>> 3, message.subarray(at, end), start);
      at = end;
    } else throw new RangeError(`no wire type ${String(tag & 7)} is in use`);
  }
}

/** A number that may be larger than 2^53. */
function exactly(message: Buffer, start: number): bigint {
  let value = 0n;
  for (let [at, shift] = [start, 0n]; ; at += 1, shift += 7n) {
    const byte = message[at] ?? 0;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return value;
  }
}

function varintOf(value: number): Buffer {
  const out: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) out.push((left % 128) | 128);
  return Buffer.from([...out, left]);
}

function number(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varintOf(field << 3), varintOf(value)]);
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([varintOf((field << 3) | 2), varintOf(value.length), value]);
}

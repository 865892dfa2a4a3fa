import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';

export interface Asked {
  /** Of the entrance, on loopback. */
  readonly port: number;
  readonly host: string;
  readonly path?: string;
  /** In PEM form, of the certificate that is to be trusted; no TLS without. */
  readonly ca?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
}

/** Asks loopback as if it were `host`. Rejects where there is no answer in time, or TLS fails. */
export async function askAs({ port, host, path = '/', ca, headers = {} }: Asked): Promise<Answer> {
  const options = {
    host: '127.0.0.1',
    port,
    path,
    headers: { ...headers, host },
    agent: false,
    signal: AbortSignal.timeout(10_000),
  };
  const request = ca === undefined ? requestHttp(options) : requestHttps({ ...options, ca, servername: host });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, location: response.headers.location ?? null, body: await text(response) };
}

/** The status of one request over HTTP/2. */
export async function statusOverHttp2({ port, host, path = '/', ca }: Asked): Promise<number> {
  const options = ca === undefined ? {} : { ca, servername: host };
  const session = connect(`${ca === undefined ? 'http' : 'https'}://127.0.0.1:${String(port)}`, options);
  try {
    const stream = session.request({ ':path': path, ':authority': host }, { signal: AbortSignal.timeout(10_000) });
    stream.end();
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.resume();
    return Number(headers[':status']);
  } finally {
    session.close();
  }
}

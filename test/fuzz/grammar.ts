/**
 * What may reach each sink, written down a second time and not taken from the source: a grammar that was loosened there is
 * seen here.
 */
const service = '[A-Za-z0-9][A-Za-z0-9._-]{0,127}';
const id = '[A-Za-z0-9][A-Za-z0-9._:-]{0,127}';
const port = '[1-9]\\d{0,4}';
const listener = `${service}:${port}`;
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = `${octet}(?:\\.${octet}){3}`;
const ipv6 = '[0-9a-f:]{2,39}';
const address = `(?:${ipv4}|\\[${ipv6}\\]):${port}`;
const text = '[A-Za-z0-9._~:/,@+*=\\\\-]';
const route = `(?:\\*|(?:\\*\\.)?[a-z0-9_][a-z0-9_.-]{0,252})(?:/[A-Za-z0-9._~@:+-]{1,128}){0,64}/`;
const time = '[1-9]\\d{0,6}(?:ms|s|m|h)';
const keywords =
  `(?: backup)?(?: maxconn [1-9]\\d{0,6})?(?: cookie ${id})?(?: send-proxy(?:-v2)? check-send-proxy)?(?: slowstart ${time})?` +
  ` check inter ${time} fastinter 500ms downinter 1s rise 2 fall 2 observe layer4 error-limit 10 on-error mark-down`;

function whole(source: string): RegExp {
  return new RegExp(`^(?:${source})$`);
}

export const key = whole(`/backends/${service}/${id}`);
export const value = whole(
  `${address}\\?[a-z][a-z0-9_-]{0,31}=${text}{1,2000}(?:&[a-z][a-z0-9_-]{0,31}=${text}{1,2000})*`,
);
export const mostKeyBytes = 1024;
export const mostValueBytes = 2048;

/** Printable ASCII, and the mark of what was cut. */
export const line = /^[\x20-\x7e…]*$/;
export const lines = /^[\n\x20-\x7e…]*$/;

/** What a template gets. */
export const viewText = /^[A-Za-z0-9._~:/,@+*=[\]-]*$/;

export const sectionHeader = whole(`(listen|backend) (${listener})`);
export const serverLine = whole(` {4}server (${id}) (${address}) weight \\d{1,3}${keywords}`);
export const bindLine = whole(` {4}bind (?:\\*|${ipv4}|\\[${ipv6}\\]):${port}(?: v4v6)?`);
const accessHttp =
  ' {4}log-format "access http %ci:%cp %f %b/%s %Tw/%Tc/%Tr/%Ta %B %ts %ST %\\[var\\(txn\\.request_id\\)\\] %HM %HP"';
/** Every other line that may stand in a section of a service. */
export const sectionLines = [
  '',
  ' {4}# [A-Za-z0-9 .,:;()-]+',
  ' {4}maxconn [1-9]\\d{0,6}',
  ' {4}mode (?:tcp|http)',
  ' {4}balance (?:roundrobin|leastconn|source|random|uri)',
  ' {4}option (?:forwardfor|httpchk)',
  ' {4}http-request set-header X-Request-ID %\\[uuid\\(\\)\\] unless \\{ req\\.hdr\\(X-Request-ID\\) -m found \\}',
  ' {4}timeout http-request 10s',
  ' {4}http-request set-var\\(txn\\.request_id\\) req\\.hdr\\(X-Request-ID\\) if \\{ req\\.hdr\\(X-Request-ID\\) -m reg \\^\\[A-Za-z0-9\\._-\\]\\{1,128\\}\\$ \\}',
  accessHttp,
  ` {4}cookie ${service}-${port} insert indirect nocache httponly`,
  ` {4}http-check send meth GET uri /[A-Za-z0-9._~/-]{0,255} ver HTTP/1\\.1 hdr Host ${service}`,
  ' {4}http-check expect status [1-5]\\d\\d(?:-[1-5]\\d\\d)?(?:,[1-5]\\d\\d(?:-[1-5]\\d\\d)?){0,7}',
].map(whole);

export const routeLine = whole(`${route} ${listener}`);
const server = `${listener}/${id}`;
/** One command of the runtime API. */
export const runtimeCommand = whole(
  [
    `add server ${server} ${address} weight \\d{1,3}${keywords}`,
    `enable health ${server}`,
    `set server ${server} state (?:ready|maint)`,
    `set server ${server} weight \\d{1,3}`,
    `set server ${server} addr (?:${ipv4}|${ipv6}) port ${port}`,
    `shutdown sessions server ${server}`,
    `del server ${server}`,
    `(?:add|set) map /run/routes\\.map ${route} ${listener}`,
    `del map /run/routes\\.map ${route}`,
    `show servers state ${listener}`,
  ].join('|'),
);
/** HAProxy's buffer. */
export const longestCommandLine = 16_000;

/** Colours of ours. */
export const colour = new RegExp(`${String.fromCharCode(0x1b)}\\[(?:1|22|31|32|33|34|35|36|39|90)m`, 'g');

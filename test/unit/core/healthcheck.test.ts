import { expect, test } from 'vitest';
import { asksTheSame, unhealthyAfterMs } from '../../../src/core/healthcheck.js';

const healthCheck = { command: '', intervalMs: 5_000, timeoutMs: 3_000, retries: 3 };

test.each([
  [5_000, 3_000, 3, 24_000],
  [30_000, 30_000, 3, 180_000],
  [1_000, 500, 1, 2_000],
  [1, 1, 1, 1_000],
])('every %i ms, %i ms for an answer, %i times: unhealthy after %i ms', (intervalMs, timeoutMs, retries, ms) => {
  expect(unhealthyAfterMs({ ...healthCheck, intervalMs, timeoutMs, retries })).toBe(ms);
});

test.each([
  'curl -f http://localhost:8000/healthz',
  'curl -f http://localhost:8000/healthz || exit 1',
  'curl -fsS -o /dev/null --max-time 2 http://127.0.0.1:8000/healthz||exit 1',
  'curl --silent --fail "http://localhost:8000/healthz" >/dev/null 2>&1 || false',
  '/usr/bin/curl http://[::1]:8000/healthz -f > /dev/null || exit 1;',
  'curl --fail-with-body http://127.1.2.3:8000/healthz >/dev/null',
  'curl -fsSm2 --connect-timeout 1 -o/dev/null http://localhost:8000/healthz || exit 255',
  'curl -qksf --output /dev/null http://localhost:8000/healthz >> /dev/null 1>&2',
  'wget -qO- http://localhost:8000/healthz',
  'wget -nv -T 3 -t1 -Y off -O /dev/null http://localhost:8000/healthz',
  'wget --quiet --timeout=3 --tries 2 --output-document=- "http://localhost:8000/healthz"',
  'wget -q -O /dev/null http://localhost:8000/healthz',
  'wget http://localhost:8000/healthz',
  'wget --no-verbose --tries=1 --spider http://localhost:8000/healthz || exit 1',
  '/bin/busybox wget -q -O - http://127.0.0.1:8000/healthz >/dev/null',
])('%s asks the same', (command) => {
  expect(asksTheSame({ ...healthCheck, command }, 8_000, '/healthz')).toBe(true);
});

test.each([
  '',
  'true',
  'node healthcheck.js',
  'curl http://localhost:8000/healthz',
  'curl -s http://localhost:8000/healthz --output f',
  'curl -f http://localhost:8000/',
  'curl -f http://localhost:8000/healthz2',
  'curl -f http://localhost:8000/healthz?deep=1',
  'curl -f http://localhost:80001/healthz',
  'curl -f http://localhost:8001/healthz',
  'curl -f http://localhost/healthz',
  'curl -f https://localhost:8000/healthz',
  'curl -f http://db:8000/healthz',
  'curl -f http://localhost.example:8000/healthz',
  'curl -f http://localhost:8000/healthz || true',
  'curl -f http://localhost:8000/healthz || exit 0',
  'curl -f http://localhost:8000/healthz || curl -f http://localhost:8001/',
  'curl -f http://localhost:8000/healthz http://localhost:8001/',
  'curl -f http://localhost:8000/healthz; true',
  'curl -f http://localhost:8000/healthz &',
  'curl -f http://localhost:8000/healthz | grep -q .',
  'curl -f http://localhost:8000/healthz\ntrue',
  'curl -fs http://localhost:8000/healthz -o /dev/null\nexit 0',
  'curl -f http://localhost:8000/healthz -m 3\necho checked',
  'curl -f http://localhost:8000/healthz -m 3\rtrue',
  'curl -s -Afetch http://localhost:8000/healthz',
  'curl -ofile http://localhost:8000/healthz',
  'curl -s -o /dev/null-f http://localhost:8000/healthz',
  'curl -o -f http://localhost:8000/healthz',
  'curl http://localhost:8000/healthz # -f',
  'curl -f http://localhost:8000/healthz #',
  'curl -f --unix-socket /x http://localhost:8000/healthz',
  'curl -f -x other:3128 http://localhost:8000/healthz',
  'curl -f --connect-to ::db:80 http://localhost:8000/healthz',
  'curl -fL http://localhost:8000/healthz',
  'curl -fI http://localhost:8000/healthz',
  'curl -f -m http://localhost:8000/healthz',
  'curl -f http://localhost:8000/healthz -m',
  'curl -f http://localhost:8000/healthz db',
  'curl -f "http://localhost:8000/healthz',
  'curl -f http://localhost:8000/healthz || exit 256',
  // To a shell that is not bash, this is a background job that never fails.
  'curl -f http://localhost:8000/healthz &>/dev/null',
  // To a shell, the path ends with the digit.
  'curl -f http://localhost:8000/healthz2>/dev/null',
  'wget -qO- http://localhost:8000/healthz localhost/b',
  'wget -q -O file http://localhost:8000/healthz',
  'wget -q --post-data=x http://localhost:8000/healthz',
  'wget -q -Y on http://localhost:8000/healthz',
  'busybox curl -f http://localhost:8000/healthz',
  'curl -f http://localhost:8000/healthz $(true)',
  'true || curl -f http://localhost:8000/healthz',
  'mycurl -f http://localhost:8000/healthz',
  'curlie -f http://localhost:8000/healthz',
  'echo curl -f http://localhost:8000/healthz',
])('%j does not, as far as can be seen', (command) => {
  expect(asksTheSame({ ...healthCheck, command }, 8_000, '/healthz')).toBe(false);
});

test('without a port it asks port 80, and without a path /', () => {
  const command = 'curl -f http://localhost';
  expect(asksTheSame({ ...healthCheck, command }, 80, '/')).toBe(true);
  expect(asksTheSame({ ...healthCheck, command }, 8_000, '/')).toBe(false);
});

test('a path that curl would resolve first is not asked for as it is written', () => {
  const command = 'curl -f http://localhost/a/../b';
  expect(asksTheSame({ ...healthCheck, command }, 80, '/a/../b')).toBe(false);
});

test.each([
  'curl ',
  ' >/dev/null',
  ' ',
  '-f ',
  'curl -f http://localhost:8000/a ',
  'curl -f http://localhost/ 2>&1 ',
  'wget "',
  '/',
])('what somebody wrote to make it slow does not: %s again and again', (part) => {
  const startedAt = performance.now();
  asksTheSame({ ...healthCheck, command: part.repeat(1024 / part.length) }, 80, '/');
  asksTheSame({ ...healthCheck, command: `curl -f http://localhost/${part.repeat(1000 / part.length)}!` }, 80, '/');
  expect(performance.now() - startedAt).toBeLessThan(200);
});

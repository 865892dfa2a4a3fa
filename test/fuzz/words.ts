import fc from 'fast-check';
import { anyHeld } from '../unit/support/arbitraries.js';
import { formatLastKnownGood } from '../../src/core/last-known-good.js';
import { hostile, mostlyValid, mutated } from './texts.js';

const path = mostlyValid(fc.constantFrom('/', '/cart', '/a%20b', '/x?y=1'));
const reason = mostlyValid(fc.constantFrom('Connection refused', 'Not Found', 'Service Unavailable', 'at byte 3, "x"'));
const access = fc
  .tuple(fc.constantFrom('GET', 'POST', '<BADREQ>'), path)
  .map((words) => `access http 10.0.0.1:52814 web:8000 web:8000/a 0/0/1/4/5 500 -- 404 abc ${words.join(' ')}`);
const tcp = fc.constant('access tcp 10.0.0.1:52814 web:8000 web:8000/a 0/0/5 500 --');
const change = fc
  .tuple(fc.constantFrom('DOWN', 'UP', 'DRAIN'), reason)
  .map(
    ([state, info]) =>
      `Server web:8000/a is ${state}, reason: Layer7 wrong status, code: 500, info: "${info}", check duration: 0ms. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`,
  );
const others = fc.constantFrom(
  '[ALERT]    (123) : config : parsing [/run/haproxy.cfg:57] : unknown keyword',
  '[WARNING]  (123) : Former worker (45) exited with code 0 (Exit)',
  '[NOTICE]   (123) : New worker (46) forked',
  'backend web:8000 has no server available!',
);

/** A line of HAProxy's, as the reader of its output gives it: without a line break, but with whatever else a client or back end said. */
export const anyLogLine: fc.Arbitrary<string> = fc
  .oneof(access, tcp, change, others, mutated(access), mutated(tcp), mutated(change), mutated(others))
  .map((line) => line.replaceAll('\n', ' '));

/** What a check of a server says: `last_chk` of `show stat`, of the back end's choice. */
export const anyCheckWords: fc.Arbitrary<string[]> = fc.array(
  fc.oneof(reason, hostile(reason)).map((text) => text.replaceAll('\n', ' ')),
  { minLength: 1, maxLength: 3 },
);

const state = anyHeld.map((held) =>
  formatLastKnownGood({ revision: 1, entries: [], stale: [], held, clientHosts: null }),
);
const heldText = mostlyValid(fc.constantFrom('web', '8000', 'http', 'source', '/healthz', '200', 'a.example'));
const heldName = fc.constantFrom(
  'service',
  'servicePort',
  'port',
  'mode',
  'balance',
  'check',
  'check-status',
  'http-host',
  'http-path',
  'routes',
  'isOpen',
);

/** A file with the last known good state that somebody has edited. */
export const anySavedState: fc.Arbitrary<string> = fc.oneof(
  state,
  mutated(state),
  fc
    .tuple(state, heldName, heldText)
    .map(([text, name, edited]) =>
      text.replace(
        new RegExp(`"${name}": [^\\n]*?(,?)\\n`),
        (_all, comma: string) => `"${name}": ${JSON.stringify(edited)}${comma}\n`,
      ),
    ),
);

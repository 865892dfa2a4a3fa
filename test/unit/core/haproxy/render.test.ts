import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { modelOf, type Model } from '../../../../src/core/haproxy/model.js';
import { render } from '../../../../src/core/haproxy/render.js';
import { viewOf, type ProxySettings } from '../../../../src/core/haproxy/view.js';
import { anyEntries } from '../../support/arbitraries.js';
import { listenerWith, modelWith, serverWith } from '../../support/models.js';
import { accepted, reasonOf } from '../../support/parsed.js';
import { claimsWith } from '../../support/registrations.js';

const fixtures = fileURLToPath(new URL('../../../fixtures/', import.meta.url));
const defaultTemplate = readFileSync(new URL('../../../../templates/haproxy.cfg.mustache', import.meta.url), 'utf8');

function settingsWith(changes: Partial<ProxySettings> = {}): ProxySettings {
  return {
    bind: ['*'],
    statsBind: { host: '*', port: 1936 },
    statsAuth: null,
    runtimeSocket: '/run/docker-discover/runtime.sock',
    serverStateFile: '/run/docker-discover/server-state',
    hardStopAfterSeconds: 900,
    ...changes,
  };
}

function configuration(model: Model, changes: Partial<ProxySettings> = {}, statsBarred = false): string {
  return accepted(render(defaultTemplate, viewOf(model, settingsWith(changes), statsBarred)));
}

const tcp = listenerWith({
  service: 'redis',
  port: 6379,
  balance: 'leastconn',
  servers: [
    serverWith({ name: '0123456789ab:6379', host: '10.170.71.226', port: 49153 }),
    serverWith({ name: 'by-hand', host: '2001:db8::7', port: 6379, weight: 20 }),
  ],
});
const http = listenerWith({
  service: 'web',
  port: 80,
  mode: 'http',
  check: '/healthz',
  servers: [
    serverWith({ name: '1123456789ab', host: '10.170.71.226', port: 49154 }),
    serverWith({ name: '2123456789ab', host: '10.170.71.227', port: 49153, weight: 0 }),
  ],
});
const everything = listenerWith({
  service: 'shop',
  port: 8443,
  mode: 'http',
  balance: 'uri',
  check: '/healthz',
  checkStatus: '200-299,401',
  checkIntervalMs: 10_000,
  sticky: 'cookie',
  servers: [
    serverWith({ name: '3123456789ab', host: '10.170.71.226', port: 49155, maxconn: 50, proxyProtocol: 'v2' }),
    serverWith({ name: '4123456789ab', host: '10.170.71.227', port: 49154, backup: true, proxyProtocol: 'v1' }),
    serverWith({ name: '5123456789ab', host: '10.170.71.228', port: 49154, weight: 5, slowStartMs: 30_000 }),
  ],
});
const lingering = listenerWith({ port: 8000, servers: [], empty: { sinceMs: 1, revision: 2 } });
const called = listenerWith({ service: 'stats', port: 8080 });

/** The golden files; `npx vitest run --project unit -u` writes them anew, and the difference is for the reviewer. */
const golden = new Map([
  ['empty.cfg', configuration(modelWith())],
  ['stats-auth.cfg', configuration(modelWith(), { statsAuth: { user: 'admin', password: "a&b<c>'d/e" } })],
  ['stats-barred.cfg', configuration(modelWith(tcp), { statsAuth: { user: 'admin', password: 'x' } }, true)],
  ['services.cfg', configuration(modelWith(tcp, called, http, everything, lingering))],
  [
    'ipv6-bind.cfg',
    configuration(modelWith(http), { bind: ['::', '10.170.71.1'], statsBind: { host: '::', port: 1936 } }),
  ],
]);
/** Read before any is written: vitest would write one that is missing, and call the test passed. */
const committed = readdirSync(fixtures).filter((name) => name.endsWith('.cfg'));

describe('the default template', () => {
  test.each([...golden])('renders %s', async (name, text) => {
    await expect(text).toMatchFileSnapshot(`${fixtures}${name}`);
  });

  test('has a golden file for each of these cases, and none that is left over', () => {
    expect(committed.sort()).toEqual([...golden.keys()].sort());
  });

  test('shows a service called stats beside the stats page, in a section of another name', () => {
    const sections = configuration(modelWith(called)).match(/^(frontend|listen|userlist) .*$/gm);
    expect(sections).toEqual(['frontend stats', 'listen stats:8080']);
  });

  test('has no section name twice and no port twice, whatever stands in etcd', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const whyBarred = (port: number): string | null => (port === 1936 ? 'is reserved' : null);
        const model = modelOf({
          claims: claimsWith(entries),
          heldRevision: 1,
          held: [],
          whyBarred,
          nowMs: 0,
          lingerMs: 0,
        });
        const text = configuration(model, { statsAuth: { user: 'admin', password: 'x' } });
        const names = [...text.matchAll(/^(?:frontend|listen|userlist) (.*)$/gm)].map(([, name]) => name);
        const binds = [...text.matchAll(/^ +bind (.*)$/gm)].map(([, bind]) => bind);
        expect(new Set(names).size).toBe(names.length);
        expect(new Set(binds).size).toBe(binds.length);
      }),
    );
  });
});

describe('a template of the user', () => {
  const view = viewOf(modelWith(http), settingsWith(), false);

  test('gets names and values as they are, not escaped for HTML', () => {
    const strange = viewOf(modelWith(), settingsWith({ statsAuth: { user: 'a', password: `<&>'/=` } }), false);
    expect(accepted(render('{{#stats}}{{#auth}}{{password}}{{/auth}}{{/stats}}', strange))).toBe(`<&>'/=`);
  });

  test('does not see a Mustache tag in a value as one', () => {
    const tagged = viewOf(
      modelWith(),
      settingsWith({ statsAuth: { user: 'a', password: '{{runtimeSocket}}' } }),
      false,
    );
    expect(accepted(render('{{#stats}}{{#auth}}{{password}}{{/auth}}{{/stats}}', tagged))).toBe('{{runtimeSocket}}');
  });

  test('reaches everything of a listener', () => {
    const template =
      '{{#listeners}}{{service}} {{port}} {{mode}} {{balance}} {{check}} {{#servers}}{{name}}@{{address}} {{/servers}}{{/listeners}}';
    expect(accepted(render(template, view))).toBe(
      'web 80 http roundrobin /healthz 1123456789ab@10.170.71.226:49154 2123456789ab@10.170.71.227:49153 ',
    );
  });

  test('is refused with the place of the mistake', () => {
    expect(reasonOf(render('{{#listeners}}', view))).toContain('Unclosed section "listeners" at 14');
    expect(reasonOf(render('{{#listeners}}{{/servers}}', view))).toContain('Unclosed section "listeners" at');
    expect(reasonOf(render('x {{name', view))).toContain('Unclosed tag at');
  });
});

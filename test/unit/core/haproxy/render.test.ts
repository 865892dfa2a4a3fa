import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckPace } from '../../../../src/core/haproxy/check-pace.js';
import type { FixedName } from '../../../../src/core/haproxy/fixed-binds.js';
import { modelOf, type Barred, type Model } from '../../../../src/core/haproxy/model.js';
import { render } from '../../../../src/core/haproxy/render.js';
import {
  undisturbed,
  viewOf,
  type Circumstances,
  type ProxySettings,
  type View,
} from '../../../../src/core/haproxy/view.js';
import { anyEntries } from '../../support/arbitraries.js';
import { listenerWith, modelWith, serverWith } from '../../support/models.js';
import { templatesWith } from '../../support/templates.js';
import { readTemplates } from '../../../../src/cli/template-files.js';
import { proxySettingsWith } from '../../support/settings.js';
import { accepted, reasonOf } from '../../support/parsed.js';
import { claimsWith } from '../../support/registrations.js';

/** Docker looks after `web`, and not after what else has HTTP checks. */
const slowPace: CheckPace = {
  tcpMs: 20_000,
  httpMs: 16_000,
  because: '200 client hosts, 7 endpoints here',
  byDocker: new Set(['web:80']),
};

const fixtures = fileURLToPath(new URL('../../../fixtures/', import.meta.url));
const builtIn = await readTemplates(undefined);

function configuration(model: Model, changes: Partial<ProxySettings> = {}, circumstances = undisturbed): string {
  return accepted(render(builtIn, viewOf(model, proxySettingsWith(changes), circumstances)));
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
  [
    'stats-barred.cfg',
    configuration(
      modelWith(tcp),
      { statsAuth: { user: 'admin', password: 'x' } },
      { ...undisturbed, barred: new Set<FixedName>(['stats page']) },
    ),
  ],
  ['slow-checks.cfg', configuration(modelWith(tcp, http, everything), {}, { ...undisturbed, pace: slowPace })],
  ['services.cfg', configuration(modelWith(tcp, called, http, everything, lingering))],
  [
    'entrance.cfg',
    configuration(
      modelWith(http, listenerWith({ ...http, service: 'blog', isOpen: false, routes: ['blog.example/'] })),
      { httpBind: { host: '*', port: 80 }, httpsBind: { host: '::', port: 8443 } },
      { ...undisturbed, certificates: '/run/docker-discover/certs/0123456789abcdef' },
    ),
  ],
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

  test('bounds the connections of each listener, and of no backend, which can not have that', () => {
    const text = configuration(modelWith(http, listenerWith({ ...tcp, isOpen: false, routes: ['redis.example/'] })), {
      httpBind: { host: '*', port: 80 },
      listenerMaxconn: 77,
    });
    const sections = text.split(/^(?=\S)/m).filter((section) => /^ +maxconn 77$/m.test(section));
    expect(sections.map((section) => section.split('\n')[0])).toEqual(['listen web:80']);
    expect(text).toContain('\nbackend redis:6379\n');
  });

  test('shows a service called stats beside the stats page, in a section of another name', () => {
    const sections = configuration(modelWith(called)).match(/^(frontend|listen|userlist) .*$/gm);
    expect(sections).toEqual(['frontend stats', 'listen stats:8080']);
  });

  test('has no section name twice and no port twice, whatever stands in etcd', () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const whyBarred = (port: number): Barred | null =>
          port === 1936 ? { reason: 'is reserved', byPolicy: true } : null;
        const model = modelOf({
          claims: claimsWith(entries),
          forbidden: [],
          mostListeners: 5_000,
          heldRevision: 1,
          held: [],
          hasEntrance: true,
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

describe('the HTTP entrance', () => {
  const http = { httpBind: { host: '*', port: 80 } };
  const https = { ...http, httpsBind: { host: '*', port: 443 } };
  const certificates = '/certs';
  const entranceOf = (...args: [Partial<ProxySettings>, Partial<Circumstances>]): View['entrance'] =>
    viewOf(modelWith(), proxySettingsWith(args[0]), { ...undisturbed, ...args[1] }).entrance;

  test('is there where a setting wants it and its port is free', () => {
    expect(entranceOf({}, {})).toBeNull();
    expect(entranceOf(http, { barred: new Set(['HTTP entrance']) })).toBeNull();
    expect(entranceOf(http, {})).toMatchObject({ http: { bind: '*:80' }, https: null, redirect: null });
  });

  test('has TLS where there is a certificate, and sends plain requests there', () => {
    expect(entranceOf(https, { certificates })).toMatchObject({
      https: { bind: '*:443', certificates },
      redirect: { port: '' },
    });
    const other = { ...https, httpsBind: { host: '*', port: 8443 } };
    expect(entranceOf(other, { certificates })?.redirect).toEqual({ port: ':8443' });
    expect(entranceOf({ ...https, redirectToHttps: false }, { certificates })?.redirect).toBeNull();
    for (const without of [{}, { certificates, barred: new Set<FixedName>(['HTTPS entrance']) }])
      expect(entranceOf(https, without)).toMatchObject({ http: { bind: '*:80' }, https: null, redirect: null });
  });
});

describe('a template of the user', () => {
  const view = viewOf(modelWith(http), proxySettingsWith(), undisturbed);

  test('gets names and values as they are, not escaped for HTML', () => {
    const strange = viewOf(
      modelWith(),
      proxySettingsWith({ statsAuth: { user: 'a', password: `<&>'/=` } }),
      undisturbed,
    );
    expect(accepted(render(templatesWith('{{#stats}}{{#auth}}{{password}}{{/auth}}{{/stats}}'), strange))).toBe(
      `<&>'/=`,
    );
  });

  test('does not see a Mustache tag in a value as one', () => {
    const settings = proxySettingsWith({ statsAuth: { user: 'a', password: '{{runtimeSocket}}' } });
    const tagged = viewOf(modelWith(), settings, undisturbed);
    expect(accepted(render(templatesWith('{{#stats}}{{#auth}}{{password}}{{/auth}}{{/stats}}'), tagged))).toBe(
      '{{runtimeSocket}}',
    );
  });

  test('reaches everything of a listener', () => {
    const template =
      '{{#listeners}}{{service}} {{port}} {{mode}} {{balance}} {{check}} {{#servers}}{{name}}@{{address}} {{/servers}}{{/listeners}}';
    expect(accepted(render(templatesWith(template), view))).toBe(
      'web 80 http roundrobin /healthz 1123456789ab@10.170.71.226:49154 2123456789ab@10.170.71.227:49153 ',
    );
  });

  test('is refused with the place of the mistake', () => {
    expect(reasonOf(render(templatesWith('{{#listeners}}'), view))).toContain('Unclosed section "listeners" at 14');
    expect(reasonOf(render(templatesWith('{{#listeners}}{{/servers}}'), view))).toContain(
      'Unclosed section "listeners" at',
    );
    expect(reasonOf(render(templatesWith('x {{name'), view))).toContain('Unclosed tag at');
  });
});

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readTemplates } from '../../../../src/cli/template-files.js';
import type { Listener } from '../../../../src/core/haproxy/listener.js';
import { basePace, type CheckPace } from '../../../../src/core/haproxy/check-pace.js';
import { createRenderer, render } from '../../../../src/core/haproxy/render.js';
import type { Templates } from '../../../../src/core/haproxy/templates.js';
import { templatesOf } from '../../../../src/core/haproxy/templates.js';
import { createListenerViews, undisturbed, viewOf, type View } from '../../../../src/core/haproxy/view.js';
import { listenerWith, modelWith, serverWith } from '../../support/models.js';
import { accepted, reasonOf } from '../../support/parsed.js';
import { proxySettingsWith } from '../../support/settings.js';
import { templatesWith } from '../../support/templates.js';

const example = (name: string): Promise<Templates> =>
  readTemplates(fileURLToPath(new URL(`../../../../templates/examples/${name}`, import.meta.url)));
const [accessLog, oneService] = [await example('access-log'), await example('one-service')];
const builtIn = await readTemplates(undefined);
const blog = listenerWith({ service: 'blog', port: 81, mode: 'http', sticky: 'cookie' });
const shop = listenerWith({ service: 'shop', port: 80, servers: [serverWith(), serverWith({ name: 'b', port: 2 })] });
const busier = { ...shop, servers: [serverWith({ name: 'c', port: 3 })] };
/** One after the other, as the daemon renders them. */
const models: readonly (readonly Listener[])[] = [
  [],
  [blog],
  [blog, shop],
  [blog, busier],
  [shop, blog],
  [blog, shop],
  [],
];

const services = { name: 'services/shop', text: 'listen {{name}} # {{runtimeSocket}}\n' };
const main = (text: string): Templates => templatesWith(text);

describe('what is rendered again and again', () => {
  test.each<[string, Templates, boolean]>([
    ['the built-in template', builtIn, true],
    ['one with access logs', accessLog, true],
    ['one for a single service', oneService, true],
    ['one with a section for a service', templatesOf([{ name: 'haproxy.cfg', text: builtIn.main }], [services]), true],
    [
      'one that uses the settings within',
      main('{{#listeners}}\nlisten {{name}} {{hardStopAfter}}\n{{/listeners}}\n'),
      true,
    ],
    ['one that has the listeners twice', main('{{#listeners}}\nlisten {{name}}\n{{/listeners}}\n'.repeat(2)), false],
    ['one that counts them', main('{{#listeners}}\n{{name}}{{#listeners}}.{{/listeners}}\n{{/listeners}}\n'), false],
    ['one that has them in a line', main('a {{#listeners}}{{name}} {{/listeners}} b\n'), false],
    ['one that has them within', main('{{#stats}}\n{{#listeners}}\n{{name}}\n{{/listeners}}\n{{/stats}}\n'), false],
    ['one with other delimiters', main('{{=<% %>=}}\n<%#listeners%>\n<%name%>\n<%/listeners%>\n'), false],
    ['one without any', main('global\n'), false],
  ])('by %s has the same bytes as what is rendered once', (_what, templates, isInPieces) => {
    const [renderAgain, views] = [createRenderer(), createListenerViews()];
    for (const changes of [{}, { hardStopAfterSeconds: 7 }, {}]) {
      const settings = proxySettingsWith(changes);
      for (const listeners of models) {
        const view = (of?: ReturnType<typeof createListenerViews>): View =>
          viewOf(modelWith(...listeners), settings, undisturbed, of);
        const { text, pieces } = accepted(renderAgain(templates, view(views)));
        expect(text).toBe(accepted(render(templates, view())));
        expect(pieces.join('')).toBe(text);
        expect(pieces).toHaveLength(isInPieces ? listeners.length + 2 : 1);
      }
    }
  });

  test('is not rendered again where nothing changed', () => {
    const [renderAgain, views, settings] = [createRenderer(), createListenerViews(), proxySettingsWith()];
    const viewed: string[] = [];
    const pieces = (...listeners: Listener[]): readonly string[] => {
      const view = viewOf(modelWith(...listeners), settings, undisturbed, views);
      const watched = view.listeners.map((listener) => {
        if (!Object.hasOwn(listener, 'watched'))
          Object.defineProperty(listener, 'watched', { get: () => viewed.push(listener.name), enumerable: true });
        return listener;
      });
      return accepted(renderAgain(builtIn, { ...view, listeners: watched })).pieces;
    };
    pieces(blog, shop);
    viewed.length = 0;
    pieces(blog, busier);
    expect(new Set(viewed)).toEqual(new Set(['shop:80']));
  });

  test('has the reason of what can not be rendered', () => {
    const broken = main('{{#listeners}}\n{{> nothing}}\n{{/listeners}}\n');
    const view = viewOf(modelWith(blog), proxySettingsWith(), undisturbed);
    expect(reasonOf(createRenderer()(broken, view))).toBe(reasonOf(render(broken, view)));
    expect(reasonOf(createRenderer()(main('{{#listeners}}'), view))).toContain('Unclosed section');
  });
});

test('the view of a listener stays the same object until it, or the pace of its checks, is another', () => {
  const [views, ownSettings] = [createListenerViews(), proxySettingsWith()];
  const view = (pace: CheckPace): View => viewOf(modelWith(blog), ownSettings, { ...undisturbed, pace }, views);
  const [first] = view(basePace).listeners;
  expect(view(basePace).listeners[0]).toBe(first);
  const [slow] = view({ ...basePace, tcpMs: 20_000, httpMs: 16_000, because: 'many' }).listeners;
  expect(slow).toMatchObject({ checkInterval: '20s', errorLimit: 3 });
  expect(view(basePace).listeners[0]).toEqual(first);
});

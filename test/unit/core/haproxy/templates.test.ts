import { describe, expect, test } from 'vitest';
import { render } from '../../../../src/core/haproxy/render.js';
import { templatesOf, type TemplateFile } from '../../../../src/core/haproxy/templates.js';
import { undisturbed, viewOf } from '../../../../src/core/haproxy/view.js';
import { listenerWith, modelWith } from '../../support/models.js';
import { accepted, reasonOf } from '../../support/parsed.js';
import { proxySettingsWith } from '../../support/settings.js';

const view = viewOf(
  modelWith(listenerWith({ service: 'blog', port: 81 }), listenerWith({ service: 'shop', port: 80 })),
  proxySettingsWith(),
  undisturbed,
);
const files = (texts: Readonly<Record<string, string>>): TemplateFile[] =>
  Object.entries(texts).map(([name, text]) => ({ name, text }));
const builtIn = files({
  'haproxy.cfg':
    '{{> head}}\n{{#listeners}}\n{{#custom}}\n{{{custom}}}\n{{/custom}}\n{{^custom}}\n{{> listener}}\n{{/custom}}\n{{/listeners}}\n',
  head: 'global\n',
  listener: 'listen {{name}}\n{{#servers}}\n{{> server}}\n{{/servers}}\n',
  server: '    server {{name}}\n',
});
const rendered = (own: Readonly<Record<string, string>>): string =>
  accepted(render(templatesOf(builtIn, files(own)), view));

describe('a set of templates', () => {
  test('is rendered as one file', () => {
    expect(rendered({})).toBe(
      'global\nlisten blog:81\n    server 0123456789ab\nlisten shop:80\n    server 0123456789ab\n',
    );
  });

  test('has parts of the user in the place of built-in ones', () => {
    expect(rendered({ head: '# mine\n', server: '    server {{name}} {{> more}}\n', more: 'check' })).toBe(
      '# mine\nlisten blog:81\n    server 0123456789ab check\nlisten shop:80\n    server 0123456789ab check\n',
    );
  });

  test('has a section of its own for a service, with all of the model and the parts', () => {
    const own =
      'listen {{name}}\n    # {{hardStopAfter}} {{#http}}http{{/http}}\n{{#servers}}\n{{> server}}\n{{/servers}}\n\n';
    expect(rendered({ 'services/shop': own })).toBe(
      'global\nlisten blog:81\n    server 0123456789ab\nlisten shop:80\n    # 900s \n    server 0123456789ab\n',
    );
  });

  test('tells of a part that is not there', () => {
    for (const text of ['{{> hed}}\n', 'x {{> hed}}'])
      expect(reasonOf(render(templatesOf(builtIn, files({ 'haproxy.cfg': text })), view))).toBe(
        'there is no partial hed: there are head, listener, server',
      );
  });

  test('is no endless thing where a part has itself', () => {
    const nested = {
      'haproxy.cfg': '{{#stats}}\n{{> head}}\n{{/stats}}\n',
      head: 'x\n{{#listeners}}\n{{^servers}}\n{{> head}}\n{{/servers}}\n{{/listeners}}\n',
    };
    expect(rendered(nested)).toBe('x\n');
    expect(reasonOf(render(templatesOf(builtIn, files({ head: 'x\n{{> head}}\n' })), view))).toBe(
      'a partial contains itself without end',
    );
  });
});

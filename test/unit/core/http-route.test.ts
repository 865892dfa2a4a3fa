import { describe, expect, test } from 'vitest';
import { formatRoute, hostsGrammar, pathGrammar, routeKeysOf, splitRoute } from '../../../src/core/http-route.js';

describe('http-host', () => {
  test.each([
    ['shop.example', ['shop.example']],
    ['Shop.Example, www.shop.example', ['shop.example', 'www.shop.example']],
    ['*.shop.example,*', ['*.shop.example', '*']],
    ['a,a,A', ['a']],
    ['shop.example,', ['shop.example']],
    ['198.18.0.30', ['198.18.0.30']],
    ['my_service.local', ['my_service.local']],
  ])('%j is %j', (text, hosts) => {
    expect(hostsGrammar.parse(text)).toEqual({ value: hosts });
  });

  test.each([
    '',
    ',',
    'shop..example',
    '.example',
    'example.',
    '-a.example',
    'shop.*',
    '*.*.example',
    '**',
    'a*.example',
    '~^www',
    'shop.example:80',
    'shop.example/api',
    'shop example',
    'shöp.example',
    '[::1]',
    'a\nb',
    `${'a'.repeat(64)}.example`,
    Array.from({ length: 260 }, (_none, n) => `h${String(n)}`).join(','),
  ])('%j is none', (text) => {
    expect(hostsGrammar.parse(text)).toBeNull();
  });
});

describe('http-path', () => {
  test.each([
    ['/', null],
    ['/api', '/api'],
    ['/api/', '/api'],
    ['/a-b/c.d/~e@f', '/a-b/c.d/~e@f'],
  ])('%j is %j', (text, path) => {
    expect(pathGrammar.parse(text)).toEqual({ value: path });
  });

  test.each(['', 'api', '//', '/a//b', '/a b', '/a?b', '/a#b', '/a%20b', '/a"b', '/a\nb', `/${'a'.repeat(128)}`])(
    '%j is none',
    (text) => {
      expect(pathGrammar.parse(text)).toBeNull();
    },
  );
});

describe('what is asked of the entrance', () => {
  test('is nothing without host name and path', () => {
    expect(routeKeysOf({ httpHosts: [], httpPath: null })).toEqual([]);
  });

  test('is every host name with the path, or any host', () => {
    expect(routeKeysOf({ httpHosts: ['a', '*.a'], httpPath: null })).toEqual(['a/', '*.a/']);
    expect(routeKeysOf({ httpHosts: ['a', 'b'], httpPath: '/x' })).toEqual(['a/x/', 'b/x/']);
    expect(routeKeysOf({ httpHosts: [], httpPath: '/x' })).toEqual(['*/x/']);
  });

  test('is told as people write it, and in parts', () => {
    expect(['a/', 'a/x/y/'].map(formatRoute)).toEqual(['a', 'a/x/y']);
    expect(['a/', '*/', '*.a/x/y/'].map(splitRoute)).toEqual([
      { host: 'a', path: null },
      { host: null, path: null },
      { host: '*.a', path: '/x/y' },
    ]);
  });
});

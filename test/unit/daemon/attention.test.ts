import { beforeEach, expect, test } from 'vitest';
import type { Configuration } from '../../../src/core/haproxy/configuration.js';
import { createConfigurationReader } from '../../../src/core/haproxy/configuration-reader.js';
import { createAttention, type Attention, type Scope } from '../../../src/daemon/attention.js';

const text = 'listen a:1\nserver x 10.0.0.1:1\nlisten b:2\nserver y 10.0.0.2:1\n';
let read: (text: string) => Configuration;
let attention: Attention;

beforeEach(() => {
  const readPieces = createConfigurationReader();
  read = (whole) => readPieces([whole]);
  attention = createAttention();
});

function round(desired: Configuration, ...doubtful: string[]): Scope {
  const scope = attention.take(desired);
  attention.done(desired, doubtful);
  return scope;
}

const everything: Scope = { asked: 'all', planned: ['a:1', 'b:2'] };
const planned = (...names: string[]): Scope => ({ asked: [], planned: names });

test('the first round is about everything, the next about nothing but what changed', () => {
  expect(round(read(text))).toEqual(everything);
  expect(round(read(text))).toEqual(planned());
  expect(round(read(text.replace('10.0.0.2', '10.0.0.9')))).toEqual(planned('b:2'));
});

test('a listener that is new, or whose settings changed, is one that changed', () => {
  round(read(text));
  expect(round(read(`${text}listen c:3\n`))).toEqual(planned('c:3'));
  expect(round(read(`${text}mode http\nlisten c:3\n`))).toEqual(planned('b:2'));
});

test('a listener in doubt is asked about, once, unless it has gone meanwhile', () => {
  round(read(text), 'a:1', 'gone:9');
  expect(round(read(text))).toEqual({ asked: ['a:1'], planned: ['a:1'] });
  expect(round(read(text))).toEqual(planned());
});

test('after a round that did not go through everything is in doubt', () => {
  round(read(text));
  attention.take(read(text));
  expect(round(read(text))).toEqual(everything);
});

test('doubt that comes up during a round holds for the next', () => {
  const desired = read(text);
  attention.take(desired);
  attention.all();
  attention.done(desired, []);
  expect(round(desired)).toEqual(everything);
  expect(round(desired)).toEqual(planned());
});

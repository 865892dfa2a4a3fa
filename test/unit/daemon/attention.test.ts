import { beforeEach, expect, test } from 'vitest';
import { createConfigurationReader, type Configuration } from '../../../src/core/haproxy/configuration.js';
import { createAttention, type Attention } from '../../../src/daemon/attention.js';

const text = 'listen a:1\nserver x 10.0.0.1:1\nlisten b:2\nserver y 10.0.0.2:1\n';
let read: (text: string) => Configuration;
let attention: Attention;

beforeEach(() => {
  read = createConfigurationReader();
  attention = createAttention();
});

function round(desired: Configuration, ...again: string[]): ReturnType<Attention['take']> {
  const taken = attention.take(desired);
  attention.done(desired, again);
  return taken;
}

test('the first round looks at everything, the next at nothing but what changed', () => {
  expect(round(read(text))).toBe('all');
  expect(round(read(text))).toEqual([]);
  expect(round(read(text.replace('10.0.0.2', '10.0.0.9')))).toEqual(['b:2']);
});

test('a listener that is new, or whose settings changed, is one that changed', () => {
  round(read(text));
  expect(round(read(`${text}listen c:3\n`))).toEqual(['c:3']);
  expect(round(read(`${text}mode http\nlisten c:3\n`))).toEqual(['b:2']);
});

test('what a round asks to see again is seen again, once', () => {
  round(read(text), 'a:1');
  expect(round(read(text))).toEqual(['a:1']);
  expect(round(read(text))).toEqual([]);
});

test('a round that did not go through leads to a look at everything', () => {
  round(read(text));
  attention.take(read(text));
  expect(round(read(text))).toBe('all');
});

test('doubt that comes up during a round holds for the next', () => {
  const desired = read(text);
  attention.take(desired);
  attention.all();
  attention.done(desired, []);
  expect(round(desired)).toBe('all');
  expect(round(desired)).toEqual([]);
});

import { describe, expect, test } from 'vitest';
import { judgeEngine, type EngineFacts } from '../../../../src/core/doctor/docker.js';
import type { Asked } from '../../../../src/core/doctor/finding.js';

function answered<T>(value: T): Asked<T> {
  return { ok: true, value, tookMs: 3 };
}

function refused(code: number | string | null): Asked<never> {
  return { ok: false, reason: 'the reason', code };
}

function facts(changes: Partial<EngineFacts> = {}): EngineFacts {
  return {
    host: 'unix:///var/run/docker.sock',
    version: answered({ engine: '28.2.2', api: '1.50' }),
    calls: { list: answered(2), inspect: answered(null), events: answered(null) },
    ...changes,
  };
}

test('an engine that gives all that is asked of it', () => {
  expect(judgeEngine(facts()).map(({ check, result, found }) => `${result} ${check}: ${found}`)).toEqual([
    'ok Docker: version 28.2.2, API 1.50, at unix:///var/run/docker.sock, answered in 3.0ms',
    'ok Docker list: 2 containers listed in 3.0ms',
    'ok Docker inspect: answered in 3.0ms',
    'ok Docker events: stream opened in 3.0ms',
  ]);
});

test.each([
  ['1.23', 'failed'],
  ['1.24', 'warning'],
  ['1.40', 'warning'],
  ['1.41', 'ok'],
  ['1.52', 'ok'],
  ['2.0', 'ok'],
])('API %s is %s', (api, result) => {
  expect(judgeEngine(facts({ version: answered({ engine: 'x', api }) }))[0]?.result).toBe(result);
});

describe('an engine that can not be reached', () => {
  test.each([
    ['ENOENT', /-v \/var\/run\/docker\.sock:\/var\/run\/docker\.sock/],
    ['EACCES', /--group-add/],
    ['ECONNREFUSED', /start Docker/],
    [null, /DOCKER_HOST/],
  ])('%j', (code, mend) => {
    const [version, ...others] = judgeEngine(facts({ version: refused(code), calls: null }));
    expect(version).toMatchObject({ result: 'failed', found: 'the reason' });
    expect(version?.mend).toMatch(mend);
    expect(others.map(({ result }) => result)).toEqual(['not checked', 'not checked', 'not checked']);
  });
});

test('a proxy that forbids an endpoint is told which one to allow', () => {
  const calls = { list: answered(0), inspect: answered(null), events: refused(403) };
  const findings = judgeEngine(facts({ version: refused(403), calls }));
  expect(findings.map(({ result }) => result)).toEqual(['not checked', 'ok', 'ok', 'failed']);
  expect(findings[3]?.found).toBe('GET /events is forbidden (HTTP 403)');
  expect(findings[3]?.mend).toContain('allow GET /events in the proxy');
});

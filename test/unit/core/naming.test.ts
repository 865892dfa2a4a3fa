import { describe, expect, test } from 'vitest';
import { parseNaming, serviceNameOf, type Naming } from '../../../src/core/naming.js';
import { containerWith } from '../support/containers.js';
import { accepted, reasonOf } from '../support/parsed.js';

const byImage: Naming = { kind: 'image' };
const byRepository: Naming = { kind: 'repository' };

describe('a naming', () => {
  test.each([
    ['image', byImage],
    ['repository', byRepository],
    ['label:com.example.service', { kind: 'label', name: 'com.example.service' }],
    ['env:SERVICE_NAME', { kind: 'env', name: 'SERVICE_NAME' }],
    ['compose-service', { kind: 'compose-service' }],
    ['compose-project', { kind: 'compose-project' }],
    ['{{image}}-{{env.STAGE}}', { kind: 'template', template: { text: '{{image}}-{{env.STAGE}}' } }],
    ['label:a:b', { kind: 'label', name: 'a:b' }],
  ])('is read from %s', (text, naming) => {
    expect(accepted(parseNaming(text))).toEqual(naming);
  });

  test.each(['', 'Image', 'label', 'label:', 'env:', 'tag:x', 'image,repository'])('is not read from %j', (text) => {
    expect(reasonOf(parseNaming(text))).toMatch(/^is not a naming: give image, repository, compose-service,/);
  });
});

test.each([
  ['nginx', 'nginx'],
  ['jwilder/whoami:latest', 'whoami'],
  ['quay.io/org/app:2', 'app'],
  ['registry.example:5000/app', 'app'],
  [`nginx@sha256:${'a'.repeat(64)}`, 'nginx'],
  ['Org/WhoAmI', 'whoami'],
])('names a service after the last path part of its image: %s', (image, service) => {
  expect(accepted(serviceNameOf(containerWith({ image }), byImage))).toBe(service);
});

test.each([
  ['nginx', 'nginx'],
  ['jwilder/whoami:latest', 'jwilder-whoami'],
  ['quay.io/org/team/app:2', 'org-team-app'],
  ['registry.example:5000/Org/App', 'org-app'],
])('names a service after the whole repository, without the registry: %s', (image, service) => {
  expect(accepted(serviceNameOf(containerWith({ image }), byRepository))).toBe(service);
});

test.each([
  ['label', { labels: new Map([['service', 'Checkout']]) }],
  ['env', { environment: new Map([['service', 'Checkout']]) }],
] as const)('names a service after the value of a variable, in lower case: %s', (kind, changes) => {
  expect(accepted(serviceNameOf(containerWith(changes), { kind, name: 'service' }))).toBe('checkout');
});

test('does not look into the environment for a label, or the other way', () => {
  const container = containerWith({
    labels: new Map([['env', 'from-label']]),
    environment: new Map([['label', 'from-env']]),
  });
  expect(reasonOf(serviceNameOf(container, { kind: 'label', name: 'label' }))).toBe('label label is not set');
  expect(reasonOf(serviceNameOf(container, { kind: 'env', name: 'env' }))).toBe('environment variable env is not set');
});

test.each<[string, Parameters<typeof containerWith>[0], Naming, string]>([
  [
    'an image that is named by id alone',
    { image: '444444444444' },
    byImage,
    'its image is named by id alone ("444444444444"); start it by name, or name services otherwise',
  ],
  [
    'an image that is named by its whole id',
    { image: `sha256:${'4'.repeat(64)}` },
    byRepository,
    'its image is named by id alone',
  ],
  ['a label that is not set', {}, { kind: 'label', name: 'service' }, 'label service is not set'],
  [
    'a label that is empty',
    { labels: new Map([['service', '']]) },
    { kind: 'label', name: 'service' },
    'label service is not set',
  ],
  [
    'a label that is no service name',
    { labels: new Map([['service', 'a b']]) },
    { kind: 'label', name: 'service' },
    'label service: "a b" is not a service name',
  ],
  [
    'a variable that would break out of haproxy.cfg',
    { environment: new Map([['S', 'web\n    server evil 10.0.0.1:80']]) },
    { kind: 'env', name: 'S' },
    'environment variable S: "web\\n    server evil 10.0.0.1:80" is not a service name',
  ],
  ['an image whose name starts with a stroke', { image: '_x' }, byImage, 'its image: "_x" is not a service name'],
])('tells why there is no name: %s', (_what, changes, naming, reason) => {
  expect(reasonOf(serviceNameOf(containerWith(changes), naming))).toContain(reason);
});

describe('Docker Compose and Swarm', () => {
  const compose = { 'com.docker.compose.service': 'web', 'com.docker.compose.project': 'shop' };
  const swarm = { 'com.docker.swarm.service.name': 'shop_web', 'com.docker.stack.namespace': 'shop' };
  const alone = { 'com.docker.swarm.service.name': 'web' };

  test.each<[string, Record<string, string>, 'compose-service' | 'compose-project', string]>([
    ['the service of Compose', compose, 'compose-service', 'web'],
    ['the project of Compose', compose, 'compose-project', 'shop'],
    ['the service of Swarm, without its stack', swarm, 'compose-service', 'web'],
    ['the stack of Swarm', swarm, 'compose-project', 'shop'],
    ['a service of Swarm without a stack', alone, 'compose-service', 'web'],
  ])('name a service by %s', (_what, labels, kind, service) => {
    expect(accepted(serviceNameOf(containerWith({ labels: new Map(Object.entries(labels)) }), { kind }))).toBe(service);
  });

  test('have not started every container', () => {
    expect(reasonOf(serviceNameOf(containerWith(), { kind: 'compose-service' }))).toBe(
      'it was not started by Docker Compose or as a Swarm service',
    );
  });
});

describe('a template', () => {
  const container = containerWith({
    image: 'quay.io/acme/shop:2.1',
    labels: new Map([
      ['com.acme.team', 'Blue'],
      ['com.acme', 'x'],
      ['com.docker.compose.project', 'web'],
    ]),
    environment: new Map([['STAGE', 'test']]),
  });
  const name = (text: string): string => accepted(serviceNameOf(container, accepted(parseNaming(text))));

  test.each([
    ['{{image}}-{{tag}}', 'shop-2.1'],
    ['{{registry}}.{{repository}}', 'quay.io.acme-shop'],
    ['{{name}}', 'whoami-1'],
    ['{{labels.com.acme.team}}.{{env.STAGE}}', 'blue.test'],
    ['{{compose.project}}-{{image}}', 'web-shop'],
    ['{{image}}{{#env.CANARY}}-canary{{/env.CANARY}}', 'shop'],
    ['{{image}}{{#env.STAGE}}-{{env.STAGE}}{{/env.STAGE}}{{! a comment }}', 'shop-test'],
  ])('names a service: %s', (text, service) => {
    expect(name(text)).toBe(service);
  });

  test.each([
    ['{{image}}-{{env.VERSION}}', 'its name by NAME_BY needs env.VERSION, which it does not have'],
    ['{{labels.com.acme}}', 'its name by NAME_BY needs labels.com.acme, which it does not have'],
    ['{{image}} {{tag}}', 'its name by NAME_BY: "shop 2.1" is not a service name'],
  ])('tells why there is no name: %s', (text, reason) => {
    expect(reasonOf(serviceNameOf(container, accepted(parseNaming(text))))).toContain(reason);
  });

  test.each([
    ['{{image', 'is not a template: Unclosed tag'],
    ['{{#image}}', 'is not a template: Unclosed section'],
    ['{{label.team}}', 'names "label.team", but a template has image, repository'],
    ['{{#env.A}}{{stage}}{{/env.A}}', 'names "stage", but'],
    ['{{> other}}', 'names "other", but'],
  ])('is not read from %s', (text, reason) => {
    expect(reasonOf(parseNaming(text))).toContain(reason);
  });
});

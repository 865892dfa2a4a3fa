import { expect, test } from 'vitest';
import { parseImageName, tagOf } from '../../../src/core/image.js';

const imageId = `sha256:deadbeef${'0'.repeat(56)}`;
const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['nginx', null, ['nginx']],
  ['nginx:1.27-alpine', null, ['nginx']],
  ['jwilder/whoami:latest', null, ['jwilder', 'whoami']],
  [`nginx@${digest}`, null, ['nginx']],
  [`nginx:1.27@${digest}`, null, ['nginx']],
  ['quay.io/org/app', 'quay.io', ['org', 'app']],
  ['quay.io/org/team/app:2', 'quay.io', ['org', 'team', 'app']],
  [`registry.example:5000/app@${digest}`, 'registry.example:5000', ['app']],
  ['registry.example:5000/org/app:1.2', 'registry.example:5000', ['org', 'app']],
  ['localhost/app', 'localhost', ['app']],
  ['localhost:5000/app', 'localhost:5000', ['app']],
  ['docker.io/library/redis', 'docker.io', ['library', 'redis']],
  ['Org/App:Tag', null, ['org', 'app']],
  // Hex digits, but not the start of this image's id: a name.
  ['cafe00', null, ['cafe00']],
])('takes %s apart', (reference, registry, path) => {
  expect(parseImageName(reference, imageId)).toEqual({ registry, path });
});

test.each([
  ['deadbeef'],
  ['deadbeef0000'],
  [imageId],
  [imageId.slice('sha256:'.length)],
  [''],
  ['registry.example:5000/'],
])('finds no name in %j', (reference) => {
  expect(parseImageName(reference, imageId)).toBeNull();
});

test.each([
  ['nginx', ''],
  ['nginx:1.27-alpine', '1.27-alpine'],
  ['registry.example:5000/app', ''],
  ['registry.example:5000/org/app:1.2@sha256:aaaa', '1.2'],
])('the tag of %s is %j', (reference, tag) => {
  expect(tagOf(reference)).toBe(tag);
});

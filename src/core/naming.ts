import type { ContainerSnapshot } from './container.js';
import { parseImageName } from './image.js';
import { accept, quoted, reject, type Parsed } from './result.js';
import { parseServiceName } from './service.js';

/** How a container's service is named. */
export type Naming =
  | { readonly kind: 'image' }
  | { readonly kind: 'repository' }
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'env'; readonly name: string };

/** `image`, `repository`, `label:NAME` or `env:NAME`. */
export function parseNaming(text: string): Parsed<Naming> {
  if (text === 'image' || text === 'repository') return accept({ kind: text });
  const [, kind, name] = /^(label|env):(.+)$/.exec(text) ?? [];
  if (name !== undefined && (kind === 'label' || kind === 'env')) return accept({ kind, name });
  return reject('is not a naming: give image, repository, label:NAME or env:NAME');
}

/**
 * The service that a container belongs to, in lower case: `Web` and `web` would be two services that claim one port.
 * - `image`: last path part of the image name (`quay.io/org/app:2` → `app`)
 * - `repository`: the whole path without the registry, joined by `-` (`quay.io/org/app:2` → `org-app`)
 * - `label`, `env`: the value of that label or environment variable
 */
export function serviceNameOf(container: ContainerSnapshot, naming: Naming): Parsed<string> {
  const name = rawNameOf(container, naming);
  if (!name.ok) return name;
  const service = parseServiceName(name.value.toLowerCase());
  return service.ok ? service : reject(`${sourceOf(naming)}: ${service.reason}`);
}

function rawNameOf(container: ContainerSnapshot, naming: Naming): Parsed<string> {
  switch (naming.kind) {
    case 'image':
    case 'repository': {
      const image = parseImageName(container.image, container.imageId);
      if (image === null) {
        return reject(
          `its image is named by id alone (${quoted(container.image)}); start it by name, or name services by label:NAME`,
        );
      }
      return accept(naming.kind === 'image' ? (image.path.at(-1) ?? '') : image.path.join('-'));
    }
    case 'label':
    case 'env': {
      const value = (naming.kind === 'label' ? container.labels : container.environment).get(naming.name);
      return value === undefined || value === '' ? reject(`${sourceOf(naming)} is not set`) : accept(value);
    }
  }
}

function sourceOf(naming: Naming): string {
  switch (naming.kind) {
    case 'image':
    case 'repository':
      return `its ${naming.kind}`;
    case 'label':
      return `label ${naming.name}`;
    case 'env':
      return `environment variable ${naming.name}`;
  }
}

import type { ContainerSnapshot } from './container.js';
import { parseImageName, tagOf } from './image.js';
import { parseNameTemplate, renderName, type NameTemplate } from './name-template.js';
import { accept, quoted, reject, type Parsed } from './result.js';
import { parseServiceName } from './service.js';

/** How a container's service is named. */
export type Naming =
  | { readonly kind: 'image' | 'repository' | 'compose-service' | 'compose-project' }
  | { readonly kind: 'label' | 'env'; readonly name: string }
  | { readonly kind: 'template'; readonly template: NameTemplate };

/** `image`, `repository`, `compose-service`, `compose-project`, `label:NAME`, `env:NAME`, or a template with `{{…}}` in it. */
export function parseNaming(text: string): Parsed<Naming> {
  if (text === 'image' || text === 'repository' || text === 'compose-service' || text === 'compose-project')
    return accept({ kind: text });
  const [, kind, name] = /^(label|env):(.+)$/.exec(text) ?? [];
  if (name !== undefined && (kind === 'label' || kind === 'env')) return accept({ kind, name });
  if (text.includes('{{')) {
    const template = parseNameTemplate(text);
    return template.ok ? accept({ kind: 'template', template: template.value }) : template;
  }
  return reject(
    'is not a naming: give image, repository, compose-service, compose-project, label:NAME, env:NAME, or a template like {{image}}-{{env.STAGE}}',
  );
}

/**
 * The service that a container belongs to, in lower case: `Web` and `web` would be two services that claim one port.
 * - `image`: last path part of the image name (`quay.io/org/app:2` → `app`)
 * - `repository`: the whole path without the registry, joined by `-` (`quay.io/org/app:2` → `org-app`)
 * - `compose-service`, `compose-project`: as Docker Compose or Swarm has it
 * - `label`, `env`: the value of that label or environment variable
 * - a template over all of these
 */
export function serviceNameOf(container: ContainerSnapshot, naming: Naming): Parsed<string> {
  const name = rawNameOf(container, naming);
  if (!name.ok) return name;
  const service = parseServiceName(name.value.toLowerCase());
  return service.ok ? service : reject(`${sourceOf(naming)}: ${service.reason}`);
}

function rawNameOf(container: ContainerSnapshot, naming: Naming): Parsed<string> {
  const { image, imageId, labels, environment } = container;
  switch (naming.kind) {
    case 'image':
    case 'repository': {
      const name = parseImageName(image, imageId);
      if (name === null)
        return reject(
          `its image is named by id alone (${quoted(image)}); start it by name, or name services otherwise`,
        );
      return accept(naming.kind === 'image' ? (name.path.at(-1) ?? '') : name.path.join('-'));
    }
    case 'compose-service':
    case 'compose-project': {
      const { service, project } = composeOf(labels);
      const name = naming.kind === 'compose-service' ? service : project;
      return name === '' ? reject('it was not started by Docker Compose or as a Swarm service') : accept(name);
    }
    case 'label':
    case 'env': {
      const value = (naming.kind === 'label' ? labels : environment).get(naming.name);
      return value === undefined || value === '' ? reject(`${sourceOf(naming)} is not set`) : accept(value);
    }
    case 'template': {
      const name = parseImageName(image, imageId);
      return renderName(naming.template, {
        image: name?.path.at(-1) ?? '',
        repository: name?.path.join('-') ?? '',
        registry: name?.registry ?? '',
        tag: tagOf(image),
        name: container.name,
        compose: composeOf(labels),
        labels,
        env: environment,
      });
    }
  }
}

/** What Docker Compose, or Swarm with `docker stack deploy`, says of a container; empty where it says nothing. */
export function composeOf(labels: ReadonlyMap<string, string>): { readonly service: string; readonly project: string } {
  const stack = labels.get('com.docker.stack.namespace') ?? '';
  const swarm = labels.get('com.docker.swarm.service.name') ?? '';
  return {
    // Swarm puts the stack before the name: `shop_web`.
    service:
      labels.get('com.docker.compose.service') ??
      (stack !== '' && swarm.startsWith(`${stack}_`) ? swarm.slice(stack.length + 1) : swarm),
    project: labels.get('com.docker.compose.project') ?? stack,
  };
}

function sourceOf(naming: Naming): string {
  switch (naming.kind) {
    case 'label':
      return `label ${naming.name}`;
    case 'env':
      return `environment variable ${naming.name}`;
    case 'template':
      return 'its name by NAME_BY';
    default:
      return `its ${naming.kind.replace('-', ' ')}`;
  }
}

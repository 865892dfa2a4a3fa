/** An image reference taken apart: `quay.io:443/org/app:1.2@sha256:…` → `{ registry: 'quay.io:443', path: ['org', 'app'] }`. */
export interface ImageName {
  readonly registry: string | null;
  /** Path parts in lower case, never empty. */
  readonly path: readonly string[];
}

/**
 * Takes an image reference apart after the rules of the distribution reference grammar: the first part is a registry
 * when it has a `.` or `:`, or is `localhost`.
 *
 * @param imageId the id of the image (`sha256:…`), by which a reference by id alone is told from a name
 * @returns null where the image is named by its id alone, so that there is no name to take
 */
export function parseImageName(reference: string, imageId: string): ImageName | null {
  const bareId = imageId.replace(/^sha256:/, '');
  const isId = /^[0-9a-f]{6,64}$/.test(reference) && bareId.startsWith(reference);
  if (isId || reference.startsWith('sha256:')) return null;

  const withoutDigest = reference.replace(/@.*$/, '');
  const parts = withoutDigest.split('/');
  const [first] = parts;
  const hasRegistry = parts.length > 1 && first !== undefined && (/[.:]/.test(first) || first === 'localhost');
  const registry = hasRegistry ? first : null;
  const path = (hasRegistry ? parts.slice(1) : parts)
    .map((part, index, all) => (index === all.length - 1 ? part.replace(/:.*$/, '') : part))
    .map((part) => part.toLowerCase())
    .filter((part) => part !== '');
  return path.length === 0 ? null : { registry, path };
}

/** `quay.io:443/org/app:1.2@sha256:…` → `1.2`; empty where there is none. */
export function tagOf(reference: string): string {
  return /:([^/:]*)$/.exec(reference.replace(/@.*$/, ''))?.[1] ?? '';
}

/** What haproxy.cfg is rendered from. Mustache, all of it. */
export interface Templates {
  /** The whole file. */
  readonly main: string;
  /** Parts of it, by the name in `{{> name}}`. */
  readonly partials: ReadonlyMap<string, string>;
  /** Sections of single services, by name of the service; they take the place of the partial `listener`. */
  readonly services: ReadonlyMap<string, string>;
}

/** A file of a directory of templates. */
export interface TemplateFile {
  /** Below the directory, without its ending: `listener`, `services/shop`. */
  readonly name: string;
  readonly text: string;
}

/** Without its ending, of the whole file. */
export const mainName = 'haproxy.cfg';
const servicePrefix = 'services/';

/** A set of templates in which the user's files take the place of built-in ones. */
export function templatesOf(builtIn: readonly TemplateFile[], own: readonly TemplateFile[]): Templates {
  const texts = new Map([...builtIn, ...own].map(({ name, text }) => [name, text]));
  const isPartial = (name: string): boolean => name !== mainName && !name.includes('/');
  const partials = new Map([...texts].filter(([name]) => isPartial(name)));
  const services = [...texts].flatMap(([name, text]) =>
    name.startsWith(servicePrefix) ? [[name.slice(servicePrefix.length), withPartials(text, partials)] as const] : [],
  );
  return { main: withPartials(texts.get(mainName) ?? '', partials), partials, services: new Map(services) };
}

/**
 * The text with those partials that stand alone on a line, without indentation, put in their place; it renders the same. Mustache
 * would do that anew for each server: half as long again for ten thousand of them.
 */
function withPartials(text: string, partials: ReadonlyMap<string, string>, within: readonly string[] = []): string {
  return text.replace(/^\{\{> *([\w.-]+) *\}\}\n/gm, (tag, name: string) => {
    const partial = partials.get(name);
    // One that is not there, or is part of itself, or ends within a line, is left to Mustache.
    if (partial === undefined || within.includes(name) || !partial.endsWith('\n')) return tag;
    return withPartials(partial, partials, [...within, name]);
  });
}

import mustache from 'mustache';
import { messageOf } from '../errors.js';
import { accept, reject, type Parsed } from '../result.js';
import type { Templates } from './templates.js';
import type { View } from './view.js';

/** Same view, same bytes. The reason of a rejection is Mustache's own, with the position in the template. */
export function render({ main, partials, services }: Templates, view: View): Parsed<string> {
  const partialOf = (name: string): string => {
    const text = partials.get(name);
    if (text === undefined)
      throw new Error(`there is no partial ${name}: there are ${[...partials.keys()].sort().join(', ')}`);
    return text;
  };
  // Mustache escapes HTML unless told otherwise. A name that the view does not have is looked up further out and
  // renders as nothing; `haproxy -c` is what finds a template's misspelling.
  const rendered = (template: string, context: object): string =>
    mustache.render(template, context, partialOf, { escape: String });
  try {
    const listeners = view.listeners.map((listener) => {
      const template = services.get(listener.service);
      const custom = template === undefined ? null : rendered(template, { ...view, ...listener }).trimEnd();
      return { ...listener, custom };
    });
    return accept(rendered(main, { ...view, listeners }));
  } catch (error) {
    if (error instanceof RangeError) return reject('a partial contains itself without end');
    return reject(messageOf(error));
  }
}

import mustache from 'mustache';
import { messageOf } from '../errors.js';
import { accept, reject, type Parsed } from '../result.js';
import type { View } from './view.js';

/** Same view, same bytes. The reason of a rejection is Mustache's own, with the position in the template. */
export function render(template: string, view: View): Parsed<string> {
  try {
    // Mustache escapes HTML unless told otherwise. A name that the view does not have is looked up further out and
    // renders as nothing; `haproxy -c` is what finds a template's misspelling.
    return accept(mustache.render(template, view, {}, { escape: String }));
  } catch (error) {
    return reject(messageOf(error));
  }
}

import { mainName, templatesOf, type Templates } from '../../../src/core/haproxy/templates.js';

/** A single file, without any part. */
export function templatesWith(main: string): Templates {
  return templatesOf([], [{ name: mainName, text: main }]);
}

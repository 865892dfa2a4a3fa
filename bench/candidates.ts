/** Settings of checks and retries that are compared: a change of the default template each. */
export interface Candidate {
  readonly name: string;
  readonly change: (template: string) => string;
}

/** The default template with something else. @throws where the template does not have it: the comparison would be one of a thing with itself */
function instead(...pairs: readonly (readonly [from: string, to: string])[]): Candidate['change'] {
  return (template) =>
    pairs.reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`the template has no ${JSON.stringify(from)}`);
      return text.replace(from, to);
    }, template);
}

const errorLimit = 'error-limit {{errorLimit}}';
const observing = ` observe layer4 ${errorLimit} on-error mark-down`;
const interval = '{{checkInterval}}';
const checking = `inter ${interval} fastinter 500ms downinter 1s rise 2 fall 2${observing}`;

export const candidates: readonly Candidate[] = [
  { name: 'ours', change: (template) => template },
  {
    name: "HAProxy's own defaults",
    change: instead(
      [checking, ''],
      ['retries 5', 'retries 3'],
      ['    option redispatch 2\n', ''],
      ['timeout connect 1s', 'timeout connect 5s'],
    ),
  },
  { name: 'retries 3, option redispatch', change: instead(['retries 5', 'retries 3'], ['redispatch 2', 'redispatch']) },
  { name: 'error-limit 3', change: instead([errorLimit, 'error-limit 3']) },
  {
    name: 'on-error sudden-death',
    change: instead([`${errorLimit} on-error mark-down`, 'error-limit 1 on-error sudden-death']),
  },
  { name: 'no observe', change: instead([observing, '']) },
  { name: 'on-error fastinter', change: instead(['on-error mark-down', 'on-error fastinter']) },
  { name: 'timeout connect 2s', change: instead(['timeout connect 1s', 'timeout connect 2s']) },
  { name: 'timeout check 1s', change: instead(['timeout check 2s', 'timeout check 1s']) },
  { name: 'inter 2s for all', change: instead([interval, '2s']) },
  {
    name: 'on-marked-down shutdown-sessions',
    change: instead([observing, `${observing} on-marked-down shutdown-sessions`]),
  },
];

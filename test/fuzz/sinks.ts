import * as grammar from './grammar.js';
import type { Tally } from './tally.js';

/** Texts on their way out; each check throws where a text is not what may come there. */
export interface Sinks {
  key(text: string): void;
  value(text: string): void;
  /** A reason, a name, or what else stands on one line of a terminal. */
  line(sink: string, text: string, longest: number): void;
  /** What a command prints: so many lines, without colours and with them. */
  terminal(sink: string, printed: { readonly plain: string; readonly painted: string; readonly lines?: number }): void;
  /** What a template gets, with all that is in it. */
  view(value: unknown): void;
  routes(text: string, count: number): void;
  commands(lines: readonly string[]): void;
  /** What was logged as JSON: so many events. */
  logJson(text: string, events: number): void;
  /** The same as text, with colours. */
  logText(text: string, events: number): void;
  /** An event of the status page's feed. */
  feed(text: string): void;
  json(sink: string, text: string, says: unknown): void;
}

/** An escape has six characters. */
const longestLogLine = 14_000;
/** Names of fields that a line of the log may have, whatever comes from outside. */
const fieldName = /^[a-z][A-Za-z]{0,20}$/;
const textLine = /^\[\d\d:\d\d:\d\d\.\d{3}\] (?:TRACE|DEBUG|INFO|WARN|ERROR): /;

export function createSinks(tally: Tally): Sinks {
  const check = (sink: string, text: string, isFine: boolean): void => {
    tally.sink(sink, text);
    if (!isFine) throw new Error(`${sink}: ${JSON.stringify(text.length > 3_000 ? text.slice(0, 3_000) : text)}`);
  };
  const say = (sink: string, what: string, text: string): never => {
    throw new Error(`${sink}: ${what}: ${JSON.stringify(text.slice(0, 3_000))}`);
  };
  const linesOf = (sink: string, text: string, count: number): string[] => {
    const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
    if (lines.length !== count || (text !== '' && !text.endsWith('\n')))
      say(sink, `${String(lines.length)} lines, and not ${String(count)}`, text);
    return lines;
  };

  return {
    key: (text) => {
      check('etcd key', text, grammar.key.test(text) && Buffer.byteLength(text) <= grammar.mostKeyBytes);
    },

    value: (text) => {
      check('etcd value', text, grammar.value.test(text) && Buffer.byteLength(text) <= grammar.mostValueBytes);
    },

    line: (sink, text, longest) => {
      check(sink, text, grammar.line.test(text) && text.length <= longest);
    },

    terminal: (sink, { plain, painted, lines }) => {
      check(sink, plain, grammar.lines.test(plain));
      if (lines !== undefined) linesOf(sink, plain, lines);
      if (painted.replace(grammar.colour, '') !== plain) say(sink, 'with colours it says something else', painted);
    },

    view: (value) => {
      const texts: string[] = [];
      const look = (one: unknown): void => {
        if (typeof one === 'string') texts.push(one);
        else if (typeof one === 'object' && one !== null)
          for (const [name, inner] of Object.entries(one)) {
            texts.push(name);
            look(inner);
          }
      };
      look(value);
      for (const text of texts) check('template view', text, grammar.viewText.test(text));
    },

    routes: (text, count) => {
      for (const line of linesOf('routes map', text, count)) check('routes map', line, grammar.routeLine.test(line));
    },

    commands: (lines) => {
      for (const line of lines) {
        const isFine = line.split(';').every((one) => grammar.runtimeCommand.test(one));
        check('runtime API', line, isFine && line.length <= grammar.longestCommandLine);
      }
    },

    logJson: (text, events) => {
      for (const line of linesOf('log (JSON)', text, events)) {
        check('log (JSON)', line, grammar.line.test(line) && line.length <= longestLogLine);
        const event = JSON.parse(line) as Record<string, unknown>;
        const [level, time, name] = Object.keys(event);
        if (level !== 'level' || time !== 'time' || name !== 'name' || Object.keys(event).at(-1) !== 'msg')
          say('log (JSON)', 'not level, time, name, fields and msg', line);
        if (event['name'] !== 'fuzz' || typeof event['msg'] !== 'string') say('log (JSON)', 'another name', line);
        if (!Object.keys(event).every((field) => fieldName.test(field))) say('log (JSON)', 'a strange field', line);
        // A field that comes twice is one that was forged.
        if (event['level'] !== /^\{"level":"([a-z]+)"/.exec(line)?.[1]) say('log (JSON)', 'another level', line);
      }
    },

    logText: (text, events) => {
      for (const line of linesOf('log (text)', text, events)) {
        const plain = line.replace(grammar.colour, '');
        const colours = line.match(grammar.colour)?.length ?? 0;
        const isFine = grammar.line.test(plain) && textLine.test(plain) && colours <= 6;
        check('log (text)', line, isFine && plain.length <= 2 * longestLogLine);
      }
    },

    feed: (text) => {
      check('status page', text, /^data: \{[ -~…]*\}\n\n$/.test(text));
    },

    json: (sink, text, says) => {
      check(sink, text, grammar.lines.test(text));
      if (JSON.stringify(JSON.parse(text)) !== JSON.stringify(says)) say(sink, 'it says something else', text);
    },
  };
}

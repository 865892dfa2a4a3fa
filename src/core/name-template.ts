import Mustache from 'mustache';
import { accept, quoted, reject, type Parsed } from './result.js';

/** A Mustache template that was parsed, and can be rendered. */
export interface NameTemplate {
  readonly text: string;
}

/** What a template of names can use. */
export interface NameData {
  readonly image: string;
  readonly repository: string;
  readonly registry: string;
  readonly tag: string;
  readonly name: string;
  readonly compose: { readonly service: string; readonly project: string };
  readonly labels: ReadonlyMap<string, string>;
  readonly env: ReadonlyMap<string, string>;
}

const roots = ['image', 'repository', 'registry', 'tag', 'name', 'compose', 'labels', 'env'];

export function parseNameTemplate(text: string): Parsed<NameTemplate> {
  let tokens: Token[];
  try {
    tokens = Mustache.parse(text) as Token[];
  } catch (error) {
    return reject(`is not a template: ${error instanceof Error ? error.message : String(error)}`);
  }
  const unknown = namesIn(tokens).find((name) => name !== '.' && !roots.includes(name.split('.')[0] ?? ''));
  if (unknown === undefined) return accept({ text });
  return reject(`names ${quoted(unknown)}, but a template has ${roots.join(', ')} only`);
}

/**
 * The name that a template gives. What stands outside of every section must have a value: a name that lacks a part is
 * that of another service.
 */
export function renderName({ text }: NameTemplate, data: NameData): Parsed<string> {
  const view = { ...data, labels: treeOf(data.labels), env: Object.fromEntries(data.env) };
  const context = new Mustache.Context(view);
  const tokens = Mustache.parse(text) as Token[];
  const missing = tokens.find(
    ([kind, name]) => isValue(kind) && ['', undefined].includes(textOf(context.lookup(name))),
  );
  if (missing !== undefined) return reject(`its name by NAME_BY needs ${missing[1]}, which it does not have`);
  return accept(Mustache.render(text, view, {}, { escape: String }));
}

/** `[kind, name or text, start, end, tokens inside?, …]`, as Mustache.parse gives them. */
type Token = [kind: string, name: string, start: number, end: number, inside?: Token[]];

function isValue(kind: string): boolean {
  return kind === 'name' || kind === '&';
}

/** All names in a template, also those in its sections. */
function namesIn(tokens: readonly Token[]): string[] {
  return tokens.flatMap(([kind, name, , , inside]) => [
    ...(kind === 'text' || kind === '!' ? [] : [name]),
    ...(Array.isArray(inside) ? namesIn(inside) : []),
  ]);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

interface Tree {
  [part: string]: string | Tree;
}

/** Labels have dots in their names, which Mustache takes for a path: `{{labels.com.acme.team}}`. The longer name wins. */
function treeOf(labels: ReadonlyMap<string, string>): Tree {
  const tree = Object.create(null) as Tree;
  for (const [name, value] of labels) {
    const parts = name.split('.');
    const last = parts.pop() ?? '';
    let at = tree;
    for (const part of parts) {
      const next = at[part];
      at = typeof next === 'object' ? next : (at[part] = Object.create(null) as Tree);
    }
    if (typeof at[last] !== 'object') at[last] = value;
  }
  return tree;
}

/** Label lists, ranges and strings: no name in them is one of a metric. */
const besideNames = /"(?:\\.|[^"\\])*"|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'by', 'without', 'on', 'ignoring']);

/**
 * Names of metrics in a PromQL expression, and patterns of names (`{__name__=~"…"}`). What is in braces must not hold a brace in a
 * string.
 */
export function metricNamesOf(expression: string): { names: string[]; patterns: string[] } {
  const patterns = [...expression.matchAll(/__name__=~"([^"]*)"/g)].map(([, pattern = '']) => pattern);
  const bare = expression.replaceAll(/\{[^}]*\}/g, ' ').replaceAll(besideNames, ' ');
  // A name is no function (`rate(`), and no part of a number (`1e3`).
  const words = [...bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g)].map(([word]) => word);
  return { names: words.filter((word) => !keywords.has(word.toLowerCase())), patterns };
}

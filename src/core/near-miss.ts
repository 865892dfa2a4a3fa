/** Of a longer word one letter may be wrong, missing or too many; in a short one that is another word (`node`, `mode`). */
const longWord = 5;

/** The word that was probably meant, where `word` is none of them but nearly one; null otherwise. What has more at its end is another. */
export function nearMissOf(word: string, known: readonly string[]): string | null {
  return known.find((one) => word !== one && !word.startsWith(one) && isNear(word, one)) ?? null;
}

/** Two neighbours swapped, or in a long word one letter. */
function isNear(word: string, meant: string): boolean {
  let at = 0;
  while (at < meant.length && word[at] === meant[at]) at += 1;
  const [rest, wanted] = [word.slice(at), meant.slice(at)];
  if (rest.slice(0, 2) === `${wanted[1] ?? ''}${wanted[0] ?? ''}` && rest.slice(2) === wanted.slice(2)) return true;
  if (meant.length < longWord) return false;
  return rest.slice(1) === wanted.slice(1) || rest === wanted.slice(1) || rest.slice(1) === wanted;
}

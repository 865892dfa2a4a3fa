/**
 * `live`: etcd answers and is watched. `last known good`: it does not, and the pools stay as they were. `none`: it has not answered
 * since the start, and nothing was saved: what there is nobody knows.
 */
export type CatalogState = 'live' | 'last known good' | 'none';

export const nothingKnown = 'etcd has not answered yet, and there is no last known good state';

/** @param revision 0 where nothing is known: etcd's first is 1 */
export function catalogStateOf(
  isLive: boolean,
  revision: number,
): { readonly catalog: CatalogState; readonly revision: number } {
  return { catalog: isLive ? 'live' : revision > 0 ? 'last known good' : 'none', revision };
}

/**
 * Keys that were deleted, and their values, since the last listing and since the one before. If the lease was lost by then,
 * they had gone with it, and nobody was told by the deletion of nothing.
 */
export interface GoneKeys {
  add(key: string, value: string): void;
  /** Those that may have gone with a lease, where `lease` is the one that we have now. */
  lost(lease: string): ReadonlyMap<string, string>;
  /** All of them. */
  keys(): readonly string[];
  /** All that was lost has been seen to; keys are listed under `lease`. */
  turn(lease: string): void;
}

export function createGoneKeys(): GoneKeys {
  let recent = new Map<string, string>();
  let earlier: ReadonlyMap<string, string> = new Map();
  /** Under which they were deleted. */
  let leaseOfGone: string | null = null;
  return {
    add: (key, value) => recent.set(key, value),
    lost: (lease) => (lease === leaseOfGone ? new Map() : new Map([...earlier, ...recent])),
    keys: () => [...earlier.keys(), ...recent.keys()],
    turn(lease) {
      earlier = lease === leaseOfGone ? recent : new Map();
      recent = new Map();
      leaseOfGone = lease;
    },
  };
}

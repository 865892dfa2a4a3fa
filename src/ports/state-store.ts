/** Keeps one text over restarts of the daemon. */
export interface StateStore {
  /** The text that was last saved, or null where there is none. */
  load(): Promise<string | null>;
  save(text: string): Promise<void>;
}

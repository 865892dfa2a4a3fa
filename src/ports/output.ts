/** A file for somebody else's proxy, and the command that tells that proxy. */
export interface Output {
  /** What the file holds now; null where there is none. */
  read(): Promise<string | null>;
  /** Checks a text, and makes it the file. @throws ConfigurationRefusedError with the words of the check */
  take(text: string, signal: AbortSignal): Promise<void>;
  /** Runs the command. @throws with its words where it fails */
  tell(signal: AbortSignal): Promise<void>;
}

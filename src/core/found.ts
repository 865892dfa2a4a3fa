/** One setting, as it was found. */
export interface Found {
  /** `label SERVICE_WEIGHT`, `environment variable SERVICE_80_CHECK`. */
  readonly source: string;
  readonly value: string;
  /** It was given for this port alone. */
  readonly forPort: boolean;
}

/** A label or variable that could not be understood. */
export interface Misread {
  /** `label SERVICE_WEIGHT`, `environment variable SERVICE_80_CHECK`. */
  readonly source: string;
  readonly value: string;
  readonly allowed: string;
}

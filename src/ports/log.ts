type Line = (fields: object, message: string) => void;

/** A line is a constant message and fields. pino's logger is one of these. */
export interface Logger {
  readonly debug: Line;
  readonly info: Line;
  readonly warn: Line;
  readonly error: Line;
}

import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger };

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that hold secrets, such as the PEM `key` of a client certificate. Log the name of an object as `object` instead. */
export const redactedFields = ["token", "key", "password", "authorization"] as const;

/**
 * The program's logger: one JSON object a line on standard output. Each component logs to `logger.child({ component })`. Errors go
 * into the field `err`. The value of a redacted field is replaced by "(cut out)", in the logged object and one level below it; deeper
 * levels are not searched.
 */
export function createLogger(level: LogLevel, program: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: redactedFields.flatMap((field) => [field, `*.${field}`]),
      censor: "(cut out)",
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Discards everything; for tests. */
export const silentLogger: Logger = pino({ level: "silent" });

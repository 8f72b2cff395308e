import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger };

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * The program's logger: one JSON object a line on standard output. Each room takes `logger.child({ room })`. Errors go under
 * the key `err`. Tokens, keys and passwords are cut out wherever one slips into an object.
 */
export function createLogger(level: LogLevel, program: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ["token", "key", "password", "authorization", "*.token", "*.key", "*.password", "*.authorization"],
      censor: "(cut out)",
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Says nothing; for tests. */
export const silentLogger: Logger = pino({ level: "silent" });

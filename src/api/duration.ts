const units = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/**
 * Parses a duration as Go and Kubernetes write it, of hours, minutes, seconds and milliseconds: `10m`, `1h30m`, `1.5h`. Returns
 * whole milliseconds; undefined for anything else, a negative time and the bare `0` included. Never throws.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    total += Number(amount) * units[unit as keyof typeof units];
  }
  return Math.round(total);
}

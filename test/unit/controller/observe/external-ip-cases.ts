import type { ReasonCode } from "../../../../src/model/reason.ts";

/** One row: spec.externalIPs of Services in order of arrival, where two addresses of a namespace count, and who is over the limit. */
export interface ExternalIpCase {
  readonly name: string;
  /** By key. Pool `lan` contains 192.0.2.10 to 192.0.2.19. */
  readonly services: Readonly<Record<string, readonly string[]>>;
  /** Keys, with the addresses that their reason names. */
  readonly over: Readonly<Record<string, string>>;
  readonly code: ReasonCode;
}

const code = "ExternalIpLimitReached";

export const externalIpCases: readonly ExternalIpCase[] = [
  { name: "as many as count", code, services: { "shop/a": ["192.0.2.10", "192.0.2.11"] }, over: {} },
  {
    name: "more than count, in one Service",
    code,
    services: { "shop/a": ["192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13"] },
    over: { "shop/a": "192.0.2.12, 192.0.2.13" },
  },
  {
    name: "more than count, in several Services",
    code,
    services: { "shop/a": ["192.0.2.10"], "shop/b": ["192.0.2.11", "192.0.2.12"], "shop/c": ["192.0.2.13"] },
    over: { "shop/b": "192.0.2.12", "shop/c": "192.0.2.13" },
  },
  {
    name: "an address that counts already counts for all Services of the namespace",
    code,
    services: { "shop/a": ["192.0.2.10", "192.0.2.11"], "shop/b": ["192.0.2.11"] },
    over: {},
  },
  {
    name: "addresses that no pool contains are not named",
    code,
    services: { "shop/a": ["192.0.2.10", "192.0.2.11", "198.51.100.1", "192.0.2.12"] },
    over: { "shop/a": "192.0.2.12" },
  },
  {
    name: "each namespace for itself",
    code,
    services: { "shop/a": ["192.0.2.10", "192.0.2.11"], "blog/a": ["192.0.2.12", "192.0.2.13"] },
    over: {},
  },
];

import type { Condition } from "../../src/api/api.ts";
import { maxInterfaces } from "../../src/api/api.ts";
import { maxAnnouncing, maxInterfaceAddresses, type Speaker } from "../../src/api/speaker.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import { withCondition } from "../../src/model/condition.ts";
import type { Link } from "../links/link.ts";

export interface SpeakerStatusInput {
  readonly version: string;
  readonly kernel: string;
  readonly bootNonce: string;
  readonly links: readonly Link[];
  readonly announcing: readonly string[];
  readonly conditions: readonly Condition[];
}

/** The status of the Speaker object, always in the same order, so that equal texts mean equal facts. */
export function speakerStatus(input: SpeakerStatusInput): NonNullable<Speaker["status"]> {
  const { version, kernel, bootNonce, links, announcing, conditions } = input;
  return {
    version,
    kernel,
    bootNonce,
    // The API server refuses longer lists.
    interfaces: links.slice(0, maxInterfaces).map(({ name, mac, up, addresses }) => ({
      name,
      mac,
      up,
      addresses: addresses.slice(0, maxInterfaceAddresses),
    })),
    announcing: [...announcing].sort().slice(0, maxAnnouncing),
    announcingCount: announcing.length,
    conditions: [...conditions],
  };
}

/** The conditions, including whether the kernel of the node forwards packets; undefined: no change. */
export function forwardingCondition(
  present: readonly Condition[],
  families: readonly IpFamily[],
  now: string,
): readonly Condition[] | undefined {
  const type = "Forwarding";
  const names = families.join(" and ");
  return families.length === 0
    ? withCondition(present, { type, status: "True", reason: "Enabled", message: "The node forwards packets." }, now)
    : withCondition(
        present,
        {
          type,
          status: "False",
          reason: "Disabled",
          message: `The kernel does not forward ${names} (sysctl net.ipv4.ip_forward, net.ipv6.conf.all.forwarding), so this node cannot reach pods. Bellhop does not change sysctls.`,
        },
        now,
      );
}

import type { Speaker } from "../api/speaker.ts";
import type { VirtualIP } from "../api/virtual-ip.ts";
import { describeNodeWarnings } from "./node-warnings.ts";

/** The result of comparing which device answers for an address on the LAN with which one should. Stable: printed by `-o json`. */
export type Finding =
  | "AnnouncerAnswers"
  | "OtherNodeAnswers"
  | "OtherDeviceAnswers"
  | "NoAnswer"
  | "NotAnnounced"
  | "NotInUse"
  | "UsedByOtherDevice"
  | "HostIsAnnouncer";

export interface Diagnosis {
  readonly finding: Finding;
  /** Whether the answer is as expected. */
  readonly good: boolean;
  readonly address: string;
  /** The device that answered this host. */
  readonly seenMac: string | undefined;
  /** The node that announces the address. */
  readonly announcer: { readonly node: string; readonly mac: string } | undefined;
  /** One sentence or two, with the cure. */
  readonly message: string;
  /** What is wrong with the settings of the nodes that announce the address or answer for it; whole sentences with the cure. */
  readonly warnings: readonly string[];
}

export interface DiagnosisInput {
  readonly address: string;
  readonly virtualIp: VirtualIP | undefined;
  readonly speakers: readonly Speaker[];
  readonly seenMac: string | undefined;
  /** Hardware addresses of this host itself. */
  readonly ownMacs: ReadonlySet<string>;
}

/** Compares the result of the look-up with the VirtualIP. Pure. */
export function diagnoseNeighbour(input: DiagnosisInput): Diagnosis {
  const { address, virtualIp, seenMac } = input;
  const { node, mac } = virtualIp?.status ?? {};
  const announcer = node === undefined || mac === undefined ? undefined : { node, mac };
  const answer = (finding: Finding, message: string): Diagnosis => ({
    finding,
    good: finding === "AnnouncerAnswers" || finding === "NotInUse" || finding === "HostIsAnnouncer",
    address,
    seenMac,
    announcer,
    message,
    warnings: describeNodeWarnings(input.speakers, node, seenMac),
  });
  if (virtualIp === undefined) {
    return seenMac === undefined
      ? answer("NotInUse", `Bellhop has not assigned ${address} to any Service, and no device answers for it.`)
      : answer(
          "UsedByOtherDevice",
          `Bellhop has not assigned ${address} to any Service, but ${seenMac} answers for it. If the address is in a pool, exclude it (spec.exclude), or remove it from that device.`,
        );
  }
  if (announcer === undefined) {
    return answer(
      "NotAnnounced",
      `No node announces ${address}. To see the reason: bellhop explain address ${address}`,
    );
  }
  if (input.ownMacs.has(announcer.mac)) {
    return answer(
      "HostIsAnnouncer",
      `This host is ${announcer.node}, which announces ${address} itself. Run this command on another host of the LAN.`,
    );
  }
  if (seenMac === undefined) {
    return answer(
      "NoAnswer",
      `No device answers for ${address} here, although ${announcer.node} (${announcer.mac}) announces it. Check that this host is on the LAN of that node and that no switch or firewall between them drops ARP.`,
    );
  }
  if (seenMac === announcer.mac) {
    return answer("AnnouncerAnswers", `${announcer.node} (${announcer.mac}) announces ${address} and answers for it.`);
  }
  const other = input.speakers.find((speaker) =>
    (speaker.status?.interfaces ?? []).some((link) => link.mac === seenMac),
  );
  return other === undefined
    ? answer(
        "OtherDeviceAnswers",
        `${seenMac} answers for ${address}, but does not belong to a node of the cluster: another device uses the address. Remove it from that device, or exclude it from the pool.`,
      )
    : answer(
        "OtherNodeAnswers",
        `${other.metadata.name} (${seenMac}) answers for ${address}, but ${announcer.node} (${announcer.mac}) should. Right after a move this is normal for a moment. If it lasts, the neighbour table of this host is stale.`,
      );
}

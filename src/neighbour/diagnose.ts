import type { Speaker } from "../api/speaker.ts";
import type { VirtualIP } from "../api/virtual-ip.ts";

/** What a host of the LAN sees of an address, against what it should see. */
export type Finding =
  | "AsItShouldBe"
  | "AnotherNodeAnswers"
  | "StrangerAnswers"
  | "NobodyAnswers"
  | "NotAnnounced"
  | "FreeAndSilent"
  | "NotOursButUsed"
  | "AskedOnAnnouncer";

export interface Diagnosis {
  readonly finding: Finding;
  /** Whether nothing is wrong. */
  readonly good: boolean;
  readonly address: string;
  /** Who answered this host. */
  readonly seenMac: string | undefined;
  /** Who should. */
  readonly announcer: { readonly node: string; readonly mac: string } | undefined;
  /** One sentence or two, with the cure. */
  readonly message: string;
}

export interface DiagnosisInput {
  readonly address: string;
  readonly virtualIp: VirtualIP | undefined;
  readonly speakers: readonly Speaker[];
  readonly seenMac: string | undefined;
  /** Hardware addresses of this host itself. */
  readonly ownMacs: ReadonlySet<string>;
}

/** Judges what the look-up saw. Pure. */
export function diagnoseNeighbour(input: DiagnosisInput): Diagnosis {
  const { address, virtualIp, seenMac } = input;
  const { node, mac } = virtualIp?.status ?? {};
  const announcer = node === undefined || mac === undefined ? undefined : { node, mac };
  const answer = (finding: Finding, message: string): Diagnosis => ({
    finding,
    good: finding === "AsItShouldBe" || finding === "FreeAndSilent" || finding === "AskedOnAnnouncer",
    address,
    seenMac,
    announcer,
    message,
  });
  if (virtualIp === undefined) {
    return seenMac === undefined
      ? answer("FreeAndSilent", `Bellhop has not assigned ${address} to any Service, and no device answers for it.`)
      : answer(
          "NotOursButUsed",
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
      "AskedOnAnnouncer",
      `This host is ${announcer.node}, which announces ${address} itself. Run this command on another host of the LAN.`,
    );
  }
  if (seenMac === undefined) {
    return answer(
      "NobodyAnswers",
      `No device answers for ${address} here, although ${announcer.node} (${announcer.mac}) announces it. Check that this host is on the LAN of that node and that no switch or firewall between them drops ARP.`,
    );
  }
  if (seenMac === announcer.mac) {
    return answer("AsItShouldBe", `${announcer.node} (${announcer.mac}) announces ${address} and answers for it.`);
  }
  const other = input.speakers.find((speaker) =>
    (speaker.status?.interfaces ?? []).some((link) => link.mac === seenMac),
  );
  return other === undefined
    ? answer(
        "StrangerAnswers",
        `${seenMac} answers for ${address}, but does not belong to a node of the cluster: another device uses the address. Remove it from that device, or exclude it from the pool.`,
      )
    : answer(
        "AnotherNodeAnswers",
        `${other.metadata.name} (${seenMac}) answers for ${address}, but ${announcer.node} (${announcer.mac}) should. Right after a move this is normal for a moment. If it lasts, the neighbour table of this host is stale.`,
      );
}

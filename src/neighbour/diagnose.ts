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
      ? answer("FreeAndSilent", `Bellhop has not given ${address} to any Service, and nobody answers for it.`)
      : answer(
          "NotOursButUsed",
          `Bellhop has not given ${address} to any Service, but ${seenMac} answers for it. If it lies in a pool, take it out (spec.exclude), or take it from that host.`,
        );
  }
  if (announcer === undefined) {
    return answer("NotAnnounced", `No node announces ${address}. The reason: bellhop explain address ${address}`);
  }
  if (input.ownMacs.has(announcer.mac)) {
    return answer(
      "AskedOnAnnouncer",
      `This host is ${announcer.node}, which announces ${address} itself; ask from another host of the LAN.`,
    );
  }
  if (seenMac === undefined) {
    return answer(
      "NobodyAnswers",
      `Nobody answers for ${address} here, though ${announcer.node} (${announcer.mac}) announces it. See that this host is on that node's LAN and that no switch or firewall between them drops ARP.`,
    );
  }
  if (seenMac === announcer.mac) {
    return answer("AsItShouldBe", `${announcer.node} (${announcer.mac}) answers for ${address}, as it should.`);
  }
  const other = input.speakers.find((speaker) =>
    (speaker.status?.interfaces ?? []).some((link) => link.mac === seenMac),
  );
  return other === undefined
    ? answer(
        "StrangerAnswers",
        `${seenMac} answers for ${address}, which is no node of Bellhop's: another host uses the address. Take it from that host, or exclude it from the pool.`,
      )
    : answer(
        "AnotherNodeAnswers",
        `${other.metadata.name} (${seenMac}) answers for ${address}, but ${announcer.node} (${announcer.mac}) should. Right after a move this passes by itself; if it stays, this host's neighbour table is stale.`,
      );
}

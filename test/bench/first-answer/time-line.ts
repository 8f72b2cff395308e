import type { HeardArp } from "../../e2e/probe/arp-listener.ts";
import type { SeenRules } from "./rules-watch.ts";
import type { SeenObject } from "./seen-object.ts";

/** One Service that was created and answered. Times of CLOCK_MONOTONIC, in ms. */
export interface Trial {
  readonly service: string;
  readonly address: string;
  /** Before the request that creates the Service, when that was answered, and when the client had a good answer. */
  readonly startMs: number;
  readonly createdMs: number;
  readonly answeredMs: number;
}

/** What was seen from outside while the Services were created. */
export interface Seen {
  readonly services: readonly SeenObject[];
  readonly virtualIps: readonly SeenObject[];
  readonly slices: readonly SeenObject[];
  readonly arp: readonly HeardArp[];
  readonly rules: readonly SeenRules[];
  readonly nodeOfMac: (mac: string) => string;
}

/** The stages of the way from the request to the answer, in the order in which most of them come. */
export const stages = [
  "API server has answered the request that creates the Service",
  "watchers see the Service",
  "watchers see the VirtualIP",
  "first probe of the announcing node on the LAN",
  "last probe of the announcing node",
  "watchers see the address in the Service",
  "watchers see the endpoints",
  "kernel of the announcing node has the rules",
  "first announcement on the LAN",
  "first good answer",
] as const;
export type Stage = (typeof stages)[number];

/** How many ms after the request each stage was first seen; without those that were not. Pure. */
export function timeLineOf(trial: Trial, seen: Seen): Readonly<Partial<Record<Stage, number>>> {
  const { service, address, startMs, createdMs, answeredMs } = trial;
  const during = <Event extends { readonly atMs: number }>(events: readonly Event[]): readonly Event[] =>
    events.filter(({ atMs }) => atMs >= startMs && atMs <= answeredMs);
  const arp = during(seen.arp);
  const announcement = arp.find(({ sender, target }) => sender === address && target === address);
  const announcer = announcement === undefined ? undefined : seen.nodeOfMac(announcement.mac);
  const probes = arp.filter(
    ({ sender, target, mac }) => sender === "0.0.0.0" && target === address && mac === announcement?.mac,
  );
  const services = during(seen.services).filter(({ object }) => object.metadata.name === service);
  const shown = services.find(({ object }) => object.status?.loadBalancer?.ingress?.[0]?.ip === address);
  const virtualIp = during(seen.virtualIps).find(
    ({ type, object }) => type === "ADDED" && object.spec.address === address,
  );
  const slice = during(seen.slices).find(
    ({ object }) =>
      object.metadata.labels?.["kubernetes.io/service-name"] === service &&
      object.endpoints?.some((one: { conditions?: { ready?: boolean } }) => one.conditions?.ready === true) === true,
  );
  const rules = during(seen.rules).find((one) => one.node === announcer && one.address === address);
  const times: Readonly<Record<Stage, number | undefined>> = {
    "API server has answered the request that creates the Service": createdMs,
    "watchers see the Service": services[0]?.atMs,
    "watchers see the VirtualIP": virtualIp?.atMs,
    "first probe of the announcing node on the LAN": probes[0]?.atMs,
    "last probe of the announcing node": probes.at(-1)?.atMs,
    "watchers see the address in the Service": shown?.atMs,
    "watchers see the endpoints": slice?.atMs,
    "kernel of the announcing node has the rules": rules?.atMs,
    "first announcement on the LAN": announcement?.atMs,
    "first good answer": answeredMs,
  };
  return Object.fromEntries(
    Object.entries(times).flatMap(([stage, atMs]) => (atMs === undefined ? [] : [[stage, atMs - startMs]])),
  );
}

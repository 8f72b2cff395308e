import type { ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import { type ReleasedAddresses, releaseService, type ServiceRelease } from "./service-release.ts";

/** An object of one of Bellhop's own kinds, with what its deletion needs. */
export interface OwnObject {
  readonly name: string;
  readonly uid: string;
}

/** The cluster as `planUninstall` needs it. */
export interface UninstallInput {
  readonly services: readonly ServiceView[];
  /** Claims whose VirtualIP follows its schema. */
  readonly claims: readonly Claim[];
  /** VirtualIPs made by the controller, readable or not. Undefined: the kind does not exist. */
  readonly virtualIps: readonly OwnObject[] | undefined;
  /** Undefined: the kind does not exist. */
  readonly speakers: readonly OwnObject[] | undefined;
  /** The SpeakerIdentities. Undefined: the kind does not exist. */
  readonly identities: readonly OwnObject[] | undefined;
  /** The Secret with the key of heartbeats. Undefined: there is none. */
  readonly keySecret: OwnObject | undefined;
  /** Whether the Deployment of the controller exists; undefined: we may not ask. */
  readonly controllerInstalled: boolean | undefined;
  /** Whether the DaemonSet of the speakers exists; undefined: we may not ask. */
  readonly speakersInstalled: boolean | undefined;
}

/** One step of an uninstallation; plain data that prints itself. */
export type UninstallStep =
  /** First: a controller that runs would write everything back. */
  | { readonly kind: "StopController" }
  | { readonly kind: "ReleaseService"; readonly release: ServiceRelease }
  /** After the Services, so that the address is not free while a Service shows it. */
  | { readonly kind: "DeleteVirtualIp"; readonly object: OwnObject }
  /** After the addresses, so that a Service is served as long as it shows one. */
  | { readonly kind: "StopSpeakers" }
  /** After the speakers, which would create them again. */
  | { readonly kind: "DeleteSpeaker"; readonly object: OwnObject }
  | { readonly kind: "DeleteSpeakerIdentity"; readonly object: OwnObject }
  | { readonly kind: "DeleteKeySecret"; readonly object: OwnObject };

/** All steps in their order; none: nothing is left that belongs to Bellhop. Pure. Pools and reservations are the user's, and stay. */
export function planUninstall(
  input: UninstallInput,
  addresses: ReleasedAddresses = "remove",
): readonly UninstallStep[] {
  const { services, claims, virtualIps, speakers, identities, keySecret, controllerInstalled, speakersInstalled } =
    input;
  const byService = new Map<string, Claim[]>();
  for (const claim of claims) {
    for (const reference of claim.services) {
      const key = serviceKeyOf(reference);
      const known = byService.get(key);
      if (known === undefined) byService.set(key, [claim]);
      else known.push(claim);
    }
  }
  const releases = services
    .flatMap((service) => releaseService(service, byService.get(service.key) ?? [], addresses) ?? [])
    .toSorted((left, right) => (left.service.key < right.service.key ? -1 : 1));
  return [
    ...(controllerInstalled === false ? [] : [{ kind: "StopController" } as const]),
    ...releases.map((release) => ({ kind: "ReleaseService", release }) as const),
    ...(virtualIps ?? []).map((object) => ({ kind: "DeleteVirtualIp", object }) as const),
    ...(speakersInstalled === false ? [] : [{ kind: "StopSpeakers" } as const]),
    ...(speakers ?? []).map((object) => ({ kind: "DeleteSpeaker", object }) as const),
    ...(identities ?? []).map((object) => ({ kind: "DeleteSpeakerIdentity", object }) as const),
    ...(keySecret === undefined ? [] : [{ kind: "DeleteKeySecret", object: keySecret } as const]),
  ];
}

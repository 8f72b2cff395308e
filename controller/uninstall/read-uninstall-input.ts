import type { V1Service } from "@kubernetes/client-node";
import { managedByController, managedByLabel } from "../../src/api/labels.ts";
import { virtualIpSchema } from "../../src/api/virtual-ip.ts";
import { keySecretName } from "../../src/heartbeat/key-secret.ts";
import { ApiError, isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { getObject } from "../../src/kube/get-object.ts";
import { listCollection } from "../../src/kube/list.ts";
import { collections, type OwnPlural, ownPath, secretPath, workloadPath } from "../../src/kube/path.ts";
import { concernsController, projectService, type ServiceView } from "../../src/model/service.ts";
import { type Claim, parseClaim } from "../allocate/claim/claim.ts";
import type { OwnObject, UninstallInput } from "./plan-uninstall.ts";

/** Names of the workloads in deploy/base. */
export const workloads = { deployments: "bellhop-controller", daemonsets: "bellhop-speaker" } as const;

interface Metadata {
  readonly name?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Reads what Bellhop has left in the cluster. Kinds of ours that do not exist are left out. Writes nothing. */
export async function readUninstallInput(client: ApiClient, namespace: string): Promise<UninstallInput> {
  const [services, virtualIps, speakers, identities, keySecret, controllerInstalled, speakersInstalled] =
    await Promise.all([
      readServices(client),
      readOwn(client, "virtualips"),
      readOwn(client, "speakers"),
      readOwn(client, "speakeridentities"),
      readKeySecret(client, namespace),
      isInstalled(client, namespace, "deployments"),
      isInstalled(client, namespace, "daemonsets"),
    ]);
  const managed = virtualIps?.filter((raw) => metadataOf(raw).labels?.[managedByLabel] === managedByController);
  return {
    services,
    claims: (virtualIps ?? []).flatMap(readClaim),
    virtualIps: managed?.map(ownObject),
    speakers: speakers?.map(ownObject),
    identities: identities?.map(ownObject),
    keySecret,
    controllerInstalled,
    speakersInstalled,
  };
}

async function readServices(client: ApiClient): Promise<readonly ServiceView[]> {
  // By key: a page that is read again brings some objects twice.
  const services = new Map<string, ServiceView>();
  const take = (raw: unknown): void => {
    if (!concernsController(raw as V1Service)) return;
    const view = projectService(raw as V1Service);
    services.set(view.key, view);
  };
  await listCollection(client, { path: collections.services, take });
  return [...services.values()];
}

/** Undefined: the API server does not know the kind. */
async function readOwn(client: ApiClient, plural: OwnPlural): Promise<readonly unknown[] | undefined> {
  const found = new Map<string, unknown>();
  const take = (raw: unknown): void => void found.set(metadataOf(raw).name ?? "", raw);
  try {
    await listCollection(client, { path: ownPath(plural), take });
    return [...found.values()];
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Its name and uid, and nothing of its content. Undefined: it does not exist. */
async function readKeySecret(client: ApiClient, namespace: string): Promise<OwnObject | undefined> {
  const secret = await getObject(client, secretPath(namespace, keySecretName));
  return secret === undefined ? undefined : ownObject(secret);
}

/** Undefined: we may not ask. */
async function isInstalled(
  client: ApiClient,
  namespace: string,
  plural: keyof typeof workloads,
): Promise<boolean | undefined> {
  try {
    return (await getObject(client, workloadPath(namespace, plural, workloads[plural]))) !== undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
}

function readClaim(raw: unknown): readonly Claim[] {
  const parsed = virtualIpSchema.safeParse(raw);
  const claim = parsed.success ? parseClaim(parsed.data).claim : undefined;
  return claim === undefined ? [] : [claim];
}

function metadataOf(raw: unknown): Metadata {
  return (raw as { metadata?: Metadata }).metadata ?? {};
}

function ownObject(raw: unknown): OwnObject {
  const { name = "", uid = "" } = metadataOf(raw);
  return { name, uid };
}

import { askApi } from "../lab/api.ts";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait.ts";

/** As much of any object as the tests read. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: tests look into objects of many kinds, and a wrong look fails the test
  readonly spec?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly status?: any;
}

/** An object to apply. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

const plurals: Readonly<Record<string, string>> = {
  Namespace: "namespaces",
  Service: "services",
  Pod: "pods",
  ServiceAccount: "serviceaccounts",
  DaemonSet: "daemonsets",
  Deployment: "deployments",
  IPAddressPool: "ipaddresspools",
  L2Advertisement: "l2advertisements",
  VirtualIP: "virtualips",
  Speaker: "speakers",
  SpeakerIdentity: "speakeridentities",
  Event: "events",
  EndpointSlice: "endpointslices",
};

const clusterScoped = new Set(["Namespace", "IPAddressPool", "L2Advertisement", "VirtualIP", "Speaker"]);

/** The API server of a lab, seen from one namespace of it. */
export class Api {
  readonly lab: Lab;
  readonly namespace: string;

  constructor(lab: Lab, namespace: string) {
    this.lab = lab;
    this.namespace = namespace;
  }

  /** The same API server, seen from another namespace. */
  inNamespace(namespace: string): Api {
    return new Api(this.lab, namespace);
  }

  /** Server-side apply of one object. */
  apply(object: Manifest): Promise<ApiObject> {
    const path = this.path(object.apiVersion, object.kind, object.metadata.name);
    return this.lab.api<ApiObject>("PATCH", `${path}?fieldManager=e2e&force=true`, object);
  }

  /** Replaces one object that was read before; throws when it has changed since. */
  replace(object: ApiObject): Promise<ApiObject> {
    const path = this.path(object.apiVersion, object.kind, object.metadata.name);
    return this.lab.api<ApiObject>("PUT", path, object);
  }

  get(apiVersion: string, kind: string, name: string): Promise<ApiObject> {
    return this.lab.api<ApiObject>("GET", this.path(apiVersion, kind, name));
  }

  /** Undefined where there is no such object. */
  async find(apiVersion: string, kind: string, name: string): Promise<ApiObject | undefined> {
    const answer = await askApi(this.lab.apiSocket, "GET", this.path(apiVersion, kind, name));
    return answer.status === 200 ? (JSON.parse(answer.body) as ApiObject) : undefined;
  }

  async list(apiVersion: string, kind: string): Promise<readonly ApiObject[]> {
    return (await this.lab.api<{ items: ApiObject[] }>("GET", this.path(apiVersion, kind))).items;
  }

  async delete(apiVersion: string, kind: string, name: string): Promise<void> {
    await this.lab.api("DELETE", this.path(apiVersion, kind, name));
  }

  /** Creates the namespace, after that of an earlier run is gone. */
  async createNamespace(): Promise<void> {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: this.namespace } };
    await waitFor(
      { what: `the earlier namespace ${this.namespace} to go`, timeoutMs: 90_000, intervalMs: 200 },
      async () => {
        const found = await this.find("v1", "Namespace", this.namespace);
        return found?.metadata.deletionTimestamp === undefined;
      },
    );
    await this.apply(namespace);
  }

  /**
   * Deletes the Services and pods of the namespace, finalizers included, waits until they are gone, and deletes the namespace. Does not wait
   * for that: the namespace controller looks again only after some 8 s while anything is left (pkg/controller/namespace/deletion).
   */
  async deleteNamespace(): Promise<void> {
    await this.lab.kubectl(["-n", this.namespace, "delete", "services,daemonsets,deployments,pods", "--all"]);
    await this.lab.api("DELETE", `/api/v1/namespaces/${this.namespace}`);
  }

  /** The external addresses of a Service, once it has as many as it has families. */
  async waitForAddresses(name: string, timeoutMs = 15_000): Promise<readonly string[]> {
    return waitFor({ what: `external addresses of Service ${name}`, timeoutMs }, async () => {
      const service = await this.get("v1", "Service", name);
      const ingress: { ip: string }[] = service.status?.loadBalancer?.ingress ?? [];
      return ingress.length > 0 && ingress.length === service.spec.ipFamilies.length
        ? ingress.map(({ ip }) => ip)
        : undefined;
    });
  }

  /** The events about one object of the namespace, as `reason: message`, oldest first. */
  async events(kind: string, name: string): Promise<readonly { reason: string; note: string; type: string }[]> {
    const path = `/apis/events.k8s.io/v1/namespaces/${this.namespace}/events?limit=500`;
    interface Event {
      reason: string;
      note: string;
      type: string;
      regarding: { kind: string; name: string };
    }
    const { items } = await this.lab.api<{ items: Event[] }>("GET", path);
    return items.filter(({ regarding }) => regarding.kind === kind && regarding.name === name);
  }

  private path(apiVersion: string, kind: string, name?: string): string {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const place = clusterScoped.has(kind) ? "" : `/namespaces/${this.namespace}`;
    const plural = plurals[kind];
    if (plural === undefined) throw new TypeError(`no plural is known for ${kind}`);
    return `${root}${place}/${plural}${name === undefined ? "" : `/${name}`}`;
  }
}

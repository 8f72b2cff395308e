import { type IpAddress, parseAddress } from "../src/ip/address.ts";
import type { Logger } from "../src/log/log.ts";
import { refersTo, serviceKeyOf } from "../src/model/service-reference.ts";
import type { Dataplane } from "./dataplane/dataplane.ts";
import type { Element } from "./dataplane/element.ts";
import { type NodeFacts, type Problem, renderService } from "./dataplane/render.ts";
import { ServiceIndex } from "./service-index.ts";
import type { Watches } from "./watches.ts";

export interface ServiceRulesOptions {
  readonly node: string;
  readonly watches: Watches;
  readonly dataplane: Dataplane;
  /** Told when there is something to render. Must do no more than note it. */
  readonly onDirty: () => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly log: Logger;
}

/** Knows which Services an event touches, and renders just these. */
export class ServiceRules {
  readonly #options: ServiceRulesOptions;
  readonly #slices = new ServiceIndex();
  readonly #virtualIps = new ServiceIndex();
  readonly #problems = new Map<string, string>();
  #dirty = new Set<string>();
  #dirtySinceMs: number | undefined;
  #node: NodeFacts;

  constructor(options: ServiceRulesOptions) {
    this.#options = options;
    this.#node = { name: options.node, addresses: { IPv4: undefined, IPv6: undefined } };
  }

  /** This node as it was last heard of; a Node object that vanished changes nothing. */
  get node(): NodeFacts {
    return this.#node;
  }

  serviceChanged(key: string): void {
    this.#touch([key]);
  }

  sliceChanged(key: string): void {
    const slice = this.#options.watches.slices.views.get(key);
    this.#touch(this.#slices.set(key, slice === undefined ? [] : [slice.serviceKey]));
  }

  virtualIpChanged(name: string): void {
    const services = this.#options.watches.virtualIps.views.get(name)?.spec.services ?? [];
    const keys = services.map(serviceKeyOf);
    this.#touch(this.#virtualIps.set(name, keys), true);
  }

  nodeChanged(): void {
    const view = this.#options.watches.nodes.views.get(this.#options.node);
    if (view === undefined) return;
    const addresses = { IPv4: view.internalIPv4, IPv6: view.internalIPv6 };
    if (this.#node.addresses.IPv4 === addresses.IPv4 && this.#node.addresses.IPv6 === addresses.IPv6) return;
    this.#node = { name: view.name, addresses };
    this.allChanged();
  }

  allChanged(): void {
    this.#touch([...this.#virtualIps.services, ...this.#options.dataplane.services], true);
  }

  /** Gives the data plane what changed. Returns since when something waited, if anything did. */
  render(): number | undefined {
    const dirty = this.#dirty;
    const since = this.#dirtySinceMs;
    this.#dirty = new Set();
    this.#dirtySinceMs = undefined;
    for (const key of dirty) this.#options.dataplane.setService(key, this.#render(key));
    return since;
  }

  /** Services without an address of ours are no business of ours, unless they just lost it. */
  #touch(services: readonly string[], always = false): void {
    let touched = false;
    for (const key of services) {
      if (!always && ![...this.#virtualIps.objectsOf(key)].length) continue;
      this.#dirty.add(key);
      touched = true;
    }
    if (!touched) return;
    this.#dirtySinceMs ??= this.#options.now();
    this.#options.onDirty();
  }

  #render(key: string): readonly Element[] {
    const { watches, log } = this.#options;
    const service = watches.services.views.get(key);
    const addresses = service === undefined ? [] : this.#addressesOf(key, service.uid);
    if (service === undefined || service.type !== "LoadBalancer" || addresses.length === 0) {
      this.#problems.delete(key);
      return [];
    }
    const slices = [...this.#slices.objectsOf(key)].flatMap((name) => watches.slices.views.get(name) ?? []);
    const { elements, problems } = renderService(service, slices, addresses, this.#node);
    this.#tellProblems(key, problems, log);
    return elements;
  }

  /** A Service that was made anew under its old name is another one, and has no claim to the addresses of the first. */
  #addressesOf(key: string, uid: string): readonly IpAddress[] {
    return [...this.#virtualIps.objectsOf(key)].flatMap((name) => {
      const spec = this.#options.watches.virtualIps.views.get(name)?.spec;
      const mine = spec?.services.some((reference) => refersTo(reference, { key, uid }));
      const address = mine === true ? parseAddress(spec?.address ?? "") : undefined;
      return address === undefined ? [] : [address];
    });
  }

  /** Says each problem once, not with every change of an endpoint. */
  #tellProblems(key: string, problems: readonly Problem[], log: Logger): void {
    const text = JSON.stringify(problems);
    if (this.#problems.get(key) === text) return;
    if (problems.length === 0) this.#problems.delete(key);
    else this.#problems.set(key, text);
    for (const problem of problems) log.warn(problem, "the Service asks for something that cannot be read");
  }
}

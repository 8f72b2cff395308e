import { NameIndex } from "../src/index/name-index.ts";

/**
 * Which Services an object belongs to (a slice to one, an address to all Services that share it), and which objects a Service has. A
 * change affects the Services from before and after it.
 */
export class ServiceIndex {
  readonly #services = new Map<string, readonly string[]>();
  readonly #objects = new NameIndex();

  /** Sets the Services of an object, none when it is gone. Returns all Services that it belonged to or belongs to now. */
  set(object: string, services: readonly string[]): readonly string[] {
    const before = this.#services.get(object) ?? [];
    for (const service of before) this.#objects.delete(service, object);
    for (const service of services) this.#objects.add(service, object);
    if (services.length > 0) this.#services.set(object, services);
    else this.#services.delete(object);
    return [...new Set([...before, ...services])];
  }

  /** The Services of an object. */
  servicesOf(object: string): readonly string[] {
    return this.#services.get(object) ?? [];
  }

  objectsOf(service: string): Iterable<string> {
    return this.#objects.of(service);
  }

  /** Services that have any object. */
  get services(): Iterable<string> {
    return this.#objects.keys;
  }
}

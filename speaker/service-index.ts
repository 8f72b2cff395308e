import { NameIndex } from "../src/index/name-index.ts";

/**
 * Which Services an object belongs to (a slice to one, an address to those that share it), and which objects a Service has. Also
 * remembers what it was before, so that a change touches the Services of both.
 */
export class ServiceIndex {
  readonly #services = new Map<string, readonly string[]>();
  readonly #objects = new NameIndex();

  /** Notes the Services of an object, none when it is gone. Returns those that it belonged to or belongs to now. */
  set(object: string, services: readonly string[]): readonly string[] {
    const before = this.#services.get(object) ?? [];
    for (const service of before) this.#objects.delete(service, object);
    for (const service of services) this.#objects.add(service, object);
    if (services.length > 0) this.#services.set(object, services);
    else this.#services.delete(object);
    return [...new Set([...before, ...services])];
  }

  objectsOf(service: string): Iterable<string> {
    return this.#objects.of(service);
  }

  /** Services that have any object. */
  get services(): Iterable<string> {
    return this.#objects.keys;
  }
}

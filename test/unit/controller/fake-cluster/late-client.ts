import type { ApiClient } from "../../../../src/kube/client.ts";
import type { FakeApiServer } from "../../../../src/kube/fake.ts";

/** A way to the API server on which nothing new is heard of one collection while it is held back. */
export class LateClient implements ApiClient {
  readonly #server: FakeApiServer;
  readonly #collection: string;
  #released: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  constructor(server: FakeApiServer, collection: string) {
    this.#server = server;
    this.#collection = collection;
  }

  holdBack(): void {
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  catchUp(): void {
    this.#release();
  }

  request: ApiClient["request"] = (request) => this.#server.request(request);

  list: ApiClient["list"] = (request, take) => this.#server.list(request, take);

  watch: ApiClient["watch"] = (request, options) =>
    request.path === this.#collection
      ? this.#late(this.#server.watch(request, options))
      : this.#server.watch(request, options);

  async *#late(stream: ReturnType<ApiClient["watch"]>): ReturnType<ApiClient["watch"]> {
    for await (const event of stream) {
      await this.#released;
      yield event;
    }
  }
}

import { BellhopError } from "../../../../src/error/error.ts";
import type {
  ApiClient,
  ApiRequest,
  ApiResponse,
  ApiStream,
  ListRequest,
  ListResponse,
  WatchOptions,
} from "../../../../src/kube/client.ts";

/** How the next writes fare: each takes the first of the list, and without any they succeed. */
export type Fate = "lost-request" | "lost-answer" | "dies-before" | "dies-after";

/** The way of one controller to the API server, on which requests and answers get lost and at which the controller may die. */
export class CrashingClient implements ApiClient {
  readonly #inner: ApiClient;
  readonly #hides: (request: ListRequest) => boolean;
  readonly #death = new AbortController();
  readonly fates: Fate[] = [];

  /** `hides`: whether the list is empty, as if its objects did not exist yet. */
  constructor(inner: ApiClient, hides: (request: ListRequest) => boolean = () => false) {
    this.#inner = inner;
    this.#hides = hides;
  }

  get isDead(): boolean {
    return this.#death.signal.aborted;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    this.#checkPulse();
    // Events are written at leisure and delay nothing; a fate spent on one would test nothing.
    const fate = request.method === "GET" || request.path.includes("/events") ? undefined : this.fates.shift();
    if (fate === "lost-request") throw lost("the request");
    if (fate === "dies-before") this.#death.abort();
    this.#checkPulse();
    const answer = await this.#inner.request(request);
    if (fate === "dies-after") this.#death.abort();
    this.#checkPulse();
    if (fate === "lost-answer") throw lost("the answer");
    return answer;
  }

  async list(request: ListRequest, take: (object: unknown) => void): Promise<ListResponse> {
    this.#checkPulse();
    const answer = await this.#inner.list(request, (object) => {
      this.#checkPulse();
      if (!this.#hides(request)) take(object);
    });
    this.#checkPulse();
    return answer;
  }

  async *watch(request: ApiRequest, options: WatchOptions): ApiStream {
    this.#checkPulse();
    const signal = AbortSignal.any([options.signal, this.#death.signal]);
    yield* this.#inner.watch(request, { ...options, signal });
    this.#checkPulse();
  }

  #checkPulse(): void {
    if (this.isDead) throw lost("the controller");
  }
}

function lost(what: string): BellhopError {
  return new BellhopError("ApiUnreachable", `${what} is lost`);
}

import { ApiError } from "./api-error.ts";
import type { FakeObject } from "./fake-store.ts";

/** pkg/registry/core/service/strategy.go: when the status is emptied, and which status is refused. */
export function applyServiceRules(before: FakeObject, after: FakeObject, subresource: string | undefined): void {
  const typeOf = (object: FakeObject): unknown => (object.spec as { type?: unknown } | undefined)?.type;
  const status = (after.status ?? {}) as { loadBalancer?: { ingress?: unknown[] } };
  if (typeOf(after) === "LoadBalancer") return;
  if (subresource === "status" && (status.loadBalancer?.ingress ?? []).length > 0) {
    throw new ApiError(
      422,
      "Invalid",
      'status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "LoadBalancer"',
    );
  }
  if (typeOf(before) === "LoadBalancer") {
    after.status = { ...status, loadBalancer: {} };
    delete (after.spec as { loadBalancerClass?: unknown }).loadBalancerClass;
  }
}

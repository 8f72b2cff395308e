import { InvalidObject } from "../../src/kube/view-store.ts";
import type { Reason } from "../../src/model/reason.ts";

/** An object that cannot be used, and the reason that users read. */
export class RefusedObject extends InvalidObject {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(reason.message);
    this.reason = reason;
  }
}

import { loadBalancerClass } from "../api/api.ts";
import type { ServiceView } from "./service.ts";

/** Whether the class of the Service makes it ours; says nothing about its type. `defaultClass`: whether those without one are. */
export function isOurClass(service: ServiceView, defaultClass: boolean): boolean {
  return service.loadBalancerClass === undefined ? defaultClass : service.loadBalancerClass === loadBalancerClass;
}

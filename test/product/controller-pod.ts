import { productNamespace } from "./install.ts";

/** The arguments with which kubectl runs `bellhop` in the pod of the controller, with no more rights than the controller has. */
export function bellhopInPod(args: readonly string[]): readonly string[] {
  return ["-n", productNamespace, "exec", "-i", "deploy/bellhop-controller", "--", "bellhop", ...args];
}

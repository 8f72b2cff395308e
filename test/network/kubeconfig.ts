import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes a kubeconfig into the folder, for an API server that requires no credentials. Returns its path. */
export function writeKubeconfig(folder: string, server: string): string {
  const path = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

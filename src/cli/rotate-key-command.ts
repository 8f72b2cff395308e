import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { heartbeatKeyLength } from "../heartbeat/heartbeat-key.ts";
import { contextOption, kubeconfigOption, outputOption, systemNamespaceOption } from "./options.ts";
import { renderKeyRotation } from "./text/key-rotation.ts";
import { type ClusterCommandOptions, printAnswer, withCluster } from "./with-cluster.ts";

/** `bellhop rotate-key`: replaces the key of heartbeats. */
export function rotateKeyCommand(): Command {
  return new Command("rotate-key")
    .description(
      "replace the key by which speakers authenticate their heartbeats; the nodes hear each other meanwhile; exit code 0: replaced, 1: not replaced, 2: error",
    )
    .addOption(outputOption())
    .addOption(kubeconfigOption())
    .addOption(contextOption())
    .addOption(systemNamespaceOption())
    .action(async (options: ClusterCommandOptions) => {
      const { rotateKey } = await import("../../controller/heartbeat-key/rotate-key.ts");
      const createKey = () => randomBytes(heartbeatKeyLength);
      const rotation = await withCluster(
        options,
        ({ client, namespace }) => rotateKey({ client, namespace, createKey }),
        "administrator",
      );
      printAnswer(options, rotation, renderKeyRotation);
      process.exitCode = rotation.rotated ? 0 : 1;
    });
}

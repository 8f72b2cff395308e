import { Option } from "commander";
import { z } from "zod";
import { BellhopError } from "../error/error.ts";
import { logLevels } from "../log/log.ts";

/* Options that more than one command has, spelled the same everywhere, and the check of their values. */

/** For commands that act for Bellhop itself. */
export function namespaceOption(): Option {
  const option = new Option("--namespace <name>", "namespace that Bellhop itself lives in");
  return option.env("POD_NAMESPACE").default("bellhop-system");
}

export function kubeconfigOption(): Option {
  return new Option("--kubeconfig <file>", "use this kubeconfig instead of the pod's service account");
}

export function httpHostOption(): Option {
  const option = new Option(
    "--http-host <address>",
    "address that /metrics, /healthz and /readyz are served on; ::, every address of both families",
  );
  return option.default("::");
}

export function httpPortOption(port: number): Option {
  return new Option("--http-port <port>", "0: any free port").default(String(port)).env("BELLHOP_HTTP_PORT");
}

export function logLevelOption(): Option {
  const option = new Option("--log-level <level>", "how much is logged");
  return option.choices(logLevels).default("info").env("BELLHOP_LOG_LEVEL");
}

/** For commands whose --namespace is that of the object asked about. */
export function systemNamespaceOption(): Option {
  const option = new Option("--system-namespace <name>", "namespace that Bellhop itself lives in");
  return option.env("POD_NAMESPACE").default("bellhop-system");
}

export function outputOption(): Option {
  return new Option("-o, --output <format>", "for people or for machines").choices(["text", "json"]).default("text");
}

export function metallbOption(): Option {
  const option = new Option(
    "--metallb <boolean>",
    "heed MetalLB's pools, advertisements and annotations, to move from it",
  );
  return option.choices(["true", "false"]).default("false").env("BELLHOP_METALLB");
}

export function metallbNamespaceOption(): Option {
  return new Option("--metallb-namespace <name>", "where MetalLB has its objects").default("metallb-system");
}

/** Checks settings from the command line; throws ConfigurationInvalid that names every wrong one. */
export function parseSettings<Schema extends z.ZodType>(schema: Schema, raw: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new BellhopError("ConfigurationInvalid", `settings that cannot be used:\n${z.prettifyError(parsed.error)}`);
}

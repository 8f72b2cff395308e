import { readFileSync } from "node:fs";
import { InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { BellhopError } from "../error/error.ts";
import { type IpAddress, parseAddress } from "../ip/address.ts";
import { logLevels } from "../log/log.ts";
import { controllerSettingsSchema } from "../settings/controller-settings.ts";

/* Options that more than one command has, and the check of their values. */

/** For commands that act for Bellhop itself. */
export function namespaceOption(): Option {
  const option = new Option("--namespace <name>", "namespace that Bellhop runs in");
  return option.env("POD_NAMESPACE").default("bellhop-system");
}

export function kubeconfigOption(): Option {
  return new Option(
    "--kubeconfig <file>",
    "kubeconfig to use; if missing, the pod's service account, or outside a pod $KUBECONFIG or ~/.kube/config",
  );
}

export function contextOption(): Option {
  return new Option("--context <name>", "use this context of the kubeconfig instead of its current one");
}

export function httpHostOption(): Option {
  const option = new Option(
    "--http-host <address>",
    "address to serve /metrics, /healthz and /readyz on; :: means every address of both IP families",
  );
  return option.default("::");
}

export function httpPortOption(port: number): Option {
  return new Option("--http-port <port>", "port to serve /metrics, /healthz and /readyz on; 0 means any free port")
    .argParser(wholeNumber(controllerSettingsSchema.shape.httpPort))
    .default(String(port))
    .env("BELLHOP_HTTP_PORT");
}

export function logLevelOption(): Option {
  const option = new Option("--log-level <level>", "lowest level of messages to log");
  return option.choices(logLevels).default("info").env("BELLHOP_LOG_LEVEL");
}

/** For commands whose --namespace is that of the object in question. */
export function systemNamespaceOption(): Option {
  const option = new Option("--system-namespace <name>", "namespace that Bellhop runs in");
  return option.env("POD_NAMESPACE").default("bellhop-system");
}

export function outputOption(): Option {
  return new Option("-o, --output <format>", "output format").choices(["text", "json"]).default("text");
}

export function defaultClassOption(): Option {
  const option = new Option("--default-class <boolean>", "whether to serve Services without loadBalancerClass");
  return option.choices(["true", "false"]).default("true").env("BELLHOP_DEFAULT_CLASS");
}

export function metallbOption(): Option {
  const option = new Option(
    "--metallb <boolean>",
    "honour MetalLB's pools, advertisements and annotations (for migration)",
  );
  return option.choices(["true", "false"]).default("false").env("BELLHOP_METALLB");
}

export const defaultMetallbNamespace = "metallb-system";

export function metallbNamespaceOption(): Option {
  return new Option("--metallb-namespace <name>", "namespace of MetalLB's objects")
    .default(defaultMetallbNamespace)
    .env("BELLHOP_METALLB_NAMESPACE");
}

export function metallbClassOption(): Option {
  const option = new Option(
    "--metallb-class <class>",
    "serve Services with this loadBalancerClass, which is MetalLB's --lb-class; needs --metallb=true",
  );
  return option.env("BELLHOP_METALLB_CLASS");
}

export function ignoreExcludeLabelOption(): Option {
  const option = new Option(
    "--ignore-exclude-label <boolean>",
    "let nodes with the label node.kubernetes.io/exclude-from-external-load-balancers take part",
  );
  return option.choices(["true", "false"]).default("false").env("BELLHOP_IGNORE_EXCLUDE_LABEL");
}

/** For an argument that is an address. */
export function parseAddressArgument(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new InvalidArgumentError("It is not an IPv4 or IPv6 address.");
  return address;
}

/** Checks settings from the command line; throws ConfigurationInvalid that names every wrong one. */
export function parseSettings<Schema extends z.ZodType>(schema: Schema, raw: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new BellhopError("ConfigurationInvalid", `invalid settings:\n${z.prettifyError(parsed.error)}`);
}

/**
 * For options whose value is a number that `schema` accepts. The value stays text; commander names the option, or the variable that it came
 * from, in the error. A text without digits is refused: Number("") is 0, which often means something.
 */
export function wholeNumber(schema: z.ZodType): (text: string) => string {
  return (text) => {
    if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Write a whole number.");
    const parsed = schema.safeParse(Number(text));
    if (parsed.success) return text;
    throw new InvalidArgumentError(parsed.error.issues.map(({ message }) => `${message}.`).join(" "));
  };
}

/** For commands that wait until the controller and speakers have done something. */
export function timeoutOption(seconds: number): Option {
  return new Option("--timeout <seconds>", "how long to wait")
    .argParser(wholeNumber(z.int().max(86_400)))
    .default(String(seconds));
}

/** For an option that can be repeated. */
export function collectOption(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

/** The text of a file, or of standard input for `-`. */
export function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    throw new BellhopError("ConfigurationInvalid", `cannot read ${file}`, { cause });
  }
}

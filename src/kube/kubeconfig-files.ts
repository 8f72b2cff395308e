import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import { z } from "zod";
import { BellhopError } from "../error/error.ts";

/** A kubeconfig as it was read, of one file or of several. */
export interface KubeconfigFiles {
  readonly config: KubeConfig;
  /** The files, for messages. */
  readonly name: string;
  /** By name of the user: what the library does not read. */
  readonly impersonation: ReadonlyMap<string, Readonly<Record<string, string | readonly string[]>>>;
}

/** Fields of a user that the library does not know (client-go tools/clientcmd/api/v1 AuthInfo). */
const userSchema = z.object({
  name: z.string(),
  user: z
    .object({
      tokenFile: z.string().optional(),
      as: z.string().optional(),
      "as-uid": z.string().optional(),
      "as-groups": z.array(z.string()).optional(),
      "as-user-extra": z.record(z.string(), z.array(z.string())).optional(),
    })
    .nullish(),
});
const fileSchema = z.object({ users: z.array(userSchema).nullish() });

/**
 * Reads `path`, else the files of $KUBECONFIG, of which missing ones are ignored, else ~/.kube/config, and chooses the
 * context. Throws ConfigurationInvalid that says what was tried and what to do.
 */
export async function readKubeconfig(path?: string, context?: string): Promise<KubeconfigFiles> {
  const { paths, origin } = kubeconfigPaths(path);
  const texts = paths.flatMap((file) => {
    const text = readText(file, paths.length > 1);
    return text === undefined ? [] : [{ file, text }];
  });
  if (texts.length === 0) throw invalid(`none of the files of $KUBECONFIG exists (${paths.join(", ")})`);
  const name = `kubeconfig ${texts.map(({ file }) => file).join(", ")}${origin}`;
  // Only here: the library costs 80 MB of memory, which no pod should pay.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const impersonation = new Map<string, Readonly<Record<string, string | readonly string[]>>>();
  let config: KubeConfig | undefined;
  try {
    for (const { file, text } of texts) {
      const users = parseUsers(text);
      const one = new KubeConfig();
      one.loadFromString(text);
      one.makePathsAbsolute(dirname(file));
      for (const user of users) addToken(one, user, dirname(file));
      if (config === undefined) config = one;
      else config.mergeConfig(one, (config.currentContext ?? "") !== "");
      for (const user of users) impersonation.set(user.name, headersOf(user));
    }
  } catch (cause) {
    throw invalid(`the ${name} is not valid`, cause);
  }
  if (config === undefined) throw invalid(`the ${name} is empty`);
  chooseContext(config, name, context);
  return { config, name, impersonation };
}

/** Throws an error whose message lists every fault with its path. */
function parseUsers(text: string): readonly z.infer<typeof userSchema>[] {
  const parsed = fileSchema.safeParse(parse(text));
  if (parsed.success) return parsed.data.users ?? [];
  const faults = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  );
  throw new Error(faults.join("; "), { cause: parsed.error });
}

function kubeconfigPaths(path: string | undefined): { readonly paths: readonly string[]; readonly origin: string } {
  if (path !== undefined) return { paths: [path], origin: "" };
  const listed = (process.env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  if (listed.length > 0) return { paths: listed, origin: " of $KUBECONFIG" };
  return { paths: [join(homedir(), ".kube", "config")], origin: "" };
}

/** Undefined for a missing file, if it may be missing. */
function readText(file: string, mayBeMissing: boolean): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    if (missing && mayBeMissing) return undefined;
    const remedy =
      "Name a kubeconfig with --kubeconfig FILE or in $KUBECONFIG, or run the command in a pod of the cluster.";
    if (missing) throw invalid(`there is no kubeconfig ${file}, and this is not a pod. ${remedy}`, cause);
    throw invalid(`cannot read the kubeconfig ${file}`, cause);
  }
}

function chooseContext(config: KubeConfig, name: string, context: string | undefined): void {
  const names = config.getContexts().map((one) => one.name);
  const there = names.length === 0 ? "It has none." : `It has ${names.join(", ")}.`;
  if (context !== undefined) {
    if (!names.includes(context)) throw invalid(`the ${name} has no context ${context}. ${there}`);
    config.setCurrentContext(context);
  }
  const current = config.getCurrentContext() ?? "";
  if (current === "") throw invalid(`the ${name} has no current context. Choose one with --context. ${there}`);
  if (!names.includes(current))
    throw invalid(`the ${name} has no context ${current}, which is its current one. ${there}`);
  if (config.getCurrentCluster() === null) throw invalid(`the ${name} has no cluster for its context ${current}`);
  if (config.getCurrentUser() === null) throw invalid(`the ${name} has no user for its context ${current}`);
}

/** A token in a file of its own, which is newer than one in the kubeconfig itself (client-go tools/clientcmd/client_config.go). */
function addToken(config: KubeConfig, { name, user }: z.infer<typeof userSchema>, folder: string): void {
  if (user?.tokenFile === undefined || user.tokenFile === "") return;
  const token = readFileSync(resolve(folder, user.tokenFile), "utf8").trim();
  // It is being replaced.
  if (token === "") throw new Error(`the file ${user.tokenFile} is empty`);
  const found = config.getUsers().find((one) => one.name === name);
  if (found !== undefined) Object.assign(found, { token });
}

/** RFC 9110 allows fewer characters in a name than Kubernetes in a key of extra fields: client-go escapes them so. */
function headersOf({ user }: z.infer<typeof userSchema>): Readonly<Record<string, string | readonly string[]>> {
  const extra = Object.entries(user?.["as-user-extra"] ?? {}).map(([key, values]) => [
    `Impersonate-Extra-${encodeURIComponent(key.toLowerCase())}`,
    values,
  ]);
  return {
    ...(user?.as === undefined ? {} : { "Impersonate-User": user.as }),
    ...(user?.["as-uid"] === undefined ? {} : { "Impersonate-Uid": user["as-uid"] }),
    ...(user?.["as-groups"] === undefined ? {} : { "Impersonate-Group": user["as-groups"] }),
    ...Object.fromEntries(extra),
  };
}

function invalid(message: string, cause?: unknown): BellhopError {
  return new BellhopError("ConfigurationInvalid", message, cause === undefined ? undefined : { cause });
}

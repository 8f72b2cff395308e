import { groupVersion } from "../api/api.ts";
import { BellhopError } from "../error/error.ts";
import { ApiError } from "../kube/api-error.ts";
import { isTlsFailure, messageOf } from "../kube/https-client.ts";

/** Node's codes for a host that does not exist, or does not listen on that port (errno(3), getaddrinfo(3)). */
const remedies: readonly { readonly pattern: RegExp; readonly text: string }[] = [
  { pattern: /ENOTFOUND|EAI_AGAIN/, text: "Its name cannot be resolved. Check the server in the kubeconfig, and DNS." },
  {
    pattern: /ECONNREFUSED/,
    text: "Nothing listens there. Check the server in the kubeconfig, and that the cluster runs.",
  },
  {
    pattern: /EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|no complete response|no data for/,
    text: "Check the server in the kubeconfig, the network, and HTTPS_PROXY and NO_PROXY.",
  },
];

/** What a command needs: the roles of deploy/base/rbac-users.yaml, or more than these grant. */
export type NeededRights = "bellhop-explain" | "bellhop-operate" | "administrator";

const rightsRemedies: Readonly<Record<NeededRights, string>> = {
  "bellhop-explain":
    "Ask an administrator to bind the ClusterRole bellhop-explain to this user, and the Role bellhop-explain in the namespace of Bellhop, or use another context or kubeconfig.",
  "bellhop-operate":
    "Ask an administrator to bind the ClusterRoles bellhop-explain and bellhop-operate to this user, and the Role bellhop-explain in the namespace of Bellhop, or use another context or kubeconfig.",
  administrator: "This command is for administrators. Use the context or kubeconfig of one.",
};

/**
 * The error for a user whose command failed at the cluster at `server`: what went wrong, and what to do. Errors that are neither of the
 * connection nor of the API are returned unchanged.
 */
export function clusterFailure(error: unknown, server: string, rights: NeededRights = "bellhop-explain"): unknown {
  if (error instanceof ApiError) return refusal(error, server, rights);
  if (!(error instanceof BellhopError) || error.code !== "ApiUnreachable") return error;
  const { cause } = error;
  const text = cause instanceof Error ? messageOf(cause) : error.message;
  if (isTlsFailure(cause))
    return failure(error, `the TLS connection to ${server} failed: ${text}. ${tlsRemedy(cause)}`);
  const code = String((cause as { code?: unknown } | undefined)?.code ?? "");
  const remedy = remedies.find(({ pattern }) => pattern.test(`${code} ${text}`));
  return failure(error, `the API server ${server} cannot be reached: ${text}. ${remedy?.text ?? ""}`.trim());
}

function refusal(error: ApiError, server: string, rights: NeededRights): BellhopError {
  if (error.status === 401) {
    return failure(
      error,
      `${server} does not accept these credentials (401 Unauthorized). They may have expired: log in again.`,
    );
  }
  if (error.status === 403) {
    const text = error.message.replace(/\.$/, "");
    return failure(error, `${server} does not allow this (403 Forbidden): ${text}. ${rightsRemedies[rights]}`);
  }
  if (error.status === 404 && error.message.includes(`/apis/${groupVersion}/`)) {
    const remedy = "Install Bellhop, or use the context or kubeconfig of the cluster that it is installed in.";
    return failure(error, `${server} does not know the kinds of Bellhop (404): ${error.message}. ${remedy}`);
  }
  return failure(error, `${server} refused the request (${error.status}): ${error.message}`);
}

function tlsRemedy(cause: unknown): string {
  const { code = "" } = cause as { code?: string };
  if (code === "CERT_HAS_EXPIRED")
    return "Renew the certificate of the API server, or check the clock of this machine.";
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return "The server may not accept the client certificate, which may have expired, or may not speak TLS.";
  }
  return "The certificate-authority of the kubeconfig may belong to another cluster or to an earlier one.";
}

function failure(cause: BellhopError, message: string): BellhopError {
  return new BellhopError(cause.code, message, { cause: cause.cause });
}

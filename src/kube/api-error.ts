import { BellhopError } from "../error/error.ts";

/** A refusal of the API server: HTTP status 400 and above, or an ERROR event within a watch. */
export class ApiError extends BellhopError {
  /** HTTP status code. */
  readonly status: number;
  /** `reason` of the Status object, such as AlreadyExists, Conflict or Expired; empty where there was none. */
  readonly reason: string;
  /** How long to wait before the next request (Retry-After). */
  readonly retryAfterMs: number | undefined;
  /** The types of `details.causes` of the Status object, such as NamespaceTerminating. */
  readonly causes: readonly string[];

  constructor(status: number, reason: string, message: string, retryAfterMs?: number, causes: readonly string[] = []) {
    super("ApiRequestFailed", message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.causes = causes;
  }
}

/** Reads a Status object (meta/v1) into an error; `where` names the request. */
export function apiErrorOf(where: string, status: number, body: unknown, retryAfterMs?: number): ApiError {
  const { reason, message, code, details } = (body ?? {}) as {
    reason?: unknown;
    message?: unknown;
    code?: unknown;
    details?: unknown;
  };
  return new ApiError(
    typeof code === "number" && code >= 400 ? code : status,
    typeof reason === "string" ? reason : "",
    `${where}: ${typeof message === "string" && message !== "" ? message : `HTTP status ${status}`}`,
    retryAfterMs,
    causeTypes(details),
  );
}

function causeTypes(details: unknown): readonly string[] {
  const { causes } = (details ?? {}) as { causes?: unknown };
  if (!Array.isArray(causes)) return [];
  return causes.flatMap((cause: { type?: unknown } | null) => (typeof cause?.type === "string" ? [cause.type] : []));
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}

export function isNotFound(error: unknown): boolean {
  return hasStatus(error, 404);
}

/** A create in a namespace that is being deleted (NamespaceTerminatingCause in k8s.io/api/core/v1/types.go). */
export function isNamespaceTerminating(error: unknown): boolean {
  return hasStatus(error, 403) && (error as ApiError).causes.includes("NamespaceTerminating");
}

/** A create for a name that is taken. */
export function isAlreadyExists(error: unknown): boolean {
  return hasStatus(error, 409) && (error as ApiError).reason === "AlreadyExists";
}

/** A write whose resourceVersion or uid is no longer the newest. */
export function isConflict(error: unknown): boolean {
  return hasStatus(error, 409) && (error as ApiError).reason !== "AlreadyExists";
}

/** The resourceVersion or continue token is too old: list again. */
export function isGone(error: unknown): boolean {
  return hasStatus(error, 410) || (error instanceof ApiError && error.reason === "Expired");
}

export function isThrottled(error: unknown): boolean {
  return hasStatus(error, 429);
}

/** Whether a retry cannot help, because the request itself is refused. */
export function isRefused(error: unknown): boolean {
  return error instanceof ApiError && [400, 403, 405, 415, 422].includes(error.status);
}

/** Stable codes of everything that Bellhop throws. A refusal is not thrown: it is a Reason, and returned. */
export type ErrorCode =
  | "ApiRequestFailed"
  | "ApiUnreachable"
  | "ObjectNotFound"
  | "ConfigurationInvalid"
  | "CommandFailed"
  | "NftFailed"
  | "ConntrackFailed"
  | "SocketFailed"
  /** A netlink message of the kernel that cannot be read. */
  | "NetlinkMalformed"
  /** The kernel answered a netlink request with an error. */
  | "NetlinkRefused"
  | "WorkerFailed";

/** The one error class: failed input or output, or a bug. `cause` is the original error. */
export class BellhopError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "BellhopError";
    this.code = code;
  }
}

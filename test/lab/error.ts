export type LabErrorCode =
  | "bad-option"
  | "build-failed"
  | "command-failed"
  | "different-options"
  | "disk-full"
  | "leftovers"
  | "not-running"
  | "timeout";

/** Every failure of the lab that is not a bug: the code is stable, the message tells what to look at. */
export class LabError extends Error {
  override readonly name = "LabError";
  readonly code: LabErrorCode;

  constructor(code: LabErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

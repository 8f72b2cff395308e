/** What the virtual machine writes: the begin and the end of a test file, and what each test came to. */
export type TestOutcome =
  | { readonly kind: "begin" | "end"; readonly file: string }
  | { readonly kind: "passed"; readonly file: string; readonly name: string }
  /** `suite-failed`: a suite of which a test failed, or that failed itself. */
  | {
      readonly kind: "failed" | "suite-failed" | "skipped";
      readonly file: string;
      readonly name: string;
      readonly reason: string;
    };

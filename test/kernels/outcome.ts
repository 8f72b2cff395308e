/** What the virtual machine writes: the begin and the end of a test file, and what each test came to. */
export type TestOutcome =
  | { readonly kind: "begin" | "end"; readonly file: string }
  /** `cut-off`: ended by a time limit, or not begun for that reason, so nothing is known. */
  | { readonly kind: "passed" | "cut-off"; readonly file: string; readonly name: string }
  /** A test, or the set-up of a suite. */
  | {
      readonly kind: "failed" | "skipped";
      readonly file: string;
      readonly name: string;
      readonly reason: string;
    };

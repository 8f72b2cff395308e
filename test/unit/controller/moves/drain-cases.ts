interface DrainCase {
  readonly name: string;
  readonly prepare?: "no leader" | "local" | "alone" | "others drained";
  /** Nodes whose speakers do not begin to announce. */
  readonly except?: readonly string[];
  readonly code: string;
  readonly detail: RegExp;
}

/** Addresses that stay on the drained node, which is n1 or n2. */
export const drainCases: readonly DrainCase[] = [
  {
    name: "no other node is alive",
    prepare: "alone",
    code: "NoOtherAnnouncer",
    detail: /Node n1 has no running speaker/,
  },
  { name: "only this node has a ready pod under Local", prepare: "local", code: "NoOtherAnnouncer", detail: /Local/ },
  {
    name: "the other node is drained, too",
    prepare: "others drained",
    code: "NoOtherAnnouncer",
    detail: /n1 may announce it, but is about to stop, too/,
  },
  {
    name: "the other node does not begin to announce it",
    except: ["n1", "n2"],
    code: "NotMovedYet",
    detail: /not moved yet/,
  },
  { name: "no controller leads", prepare: "no leader", code: "ControllerAbsent", detail: /Lease/ },
];

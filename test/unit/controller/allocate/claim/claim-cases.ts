import type { RefusalData } from "../cases/allocation-case.ts";

/** One row: name and `spec.address` of a VirtualIP, which is a claim or is refused. */
export interface ClaimCase {
  readonly name: string;
  readonly address: string;
  readonly refuses?: RefusalData;
}

const refuses = (value: string, ...names: readonly string[]): RefusalData => ({
  code: "VirtualIpInvalid",
  field: "spec.address",
  value,
  names,
});

export const claimCases: readonly ClaimCase[] = [
  { name: "192.0.2.7", address: "192.0.2.7" },
  { name: "2001-db8--7", address: "2001:db8::7" },
  { name: "2001-db8--0", address: "2001:db8::" },
  { name: "0--7", address: "::7" },
  { name: "wrong", address: "192.0.2.7", refuses: refuses("192.0.2.7", "VirtualIP wrong", "192.0.2.7") },
  { name: "2001-db8--", address: "2001:db8::", refuses: refuses("2001:db8::", "2001-db8--0") },
  { name: "2001-db8-0--7", address: "2001:db8:0::7", refuses: refuses("2001:db8:0::7", "2001-db8--7") },
  { name: "192.0.2.7", address: "192.0.2.07", refuses: refuses("192.0.2.07") },
  { name: "192.0.2.7", address: "192.0.2.7/32", refuses: refuses("192.0.2.7/32") },
  { name: "192.0.2.7", address: "", refuses: refuses("") },
];

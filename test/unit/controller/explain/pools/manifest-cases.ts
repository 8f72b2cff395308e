/** One row: the text of a file, and what is wrong in it: `LINE CODE FIELD`. */
export interface ManifestCase {
  readonly name: string;
  readonly text: string;
  readonly faults: readonly string[];
}

/** The manifest of a pool; `more` are further lines of its spec. */
export function manifest(name: string, addresses: readonly string[], more = ""): string {
  const list = addresses.map((address) => `    - ${address}\n`).join("");
  const head = `apiVersion: bellhop.dev/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: ${name}\nspec:\n`;
  return `${head}${more}  addresses:\n${list}`;
}

export const manifestCases: readonly ManifestCase[] = [
  { name: "host bits", text: manifest("p", ["192.0.2.17/24"]), faults: ["7 PoolRangeInvalid spec.addresses[0]"] },
  {
    name: "every bad entry at once",
    text: manifest("p", ["lan", "192.0.2.1", "192.0.2.9-192.0.2.2", "192.0.2.3-2001:db8::1"]),
    faults: [
      "7 PoolRangeInvalid spec.addresses[0]",
      "9 PoolRangeInvalid spec.addresses[2]",
      "10 PoolRangeInvalid spec.addresses[3]",
    ],
  },
  {
    name: "a field that is not there",
    text: manifest("p", ["192.0.2.1"], "  autoassign: false\n"),
    faults: ["6 PoolSchemaInvalid spec.autoassign"],
  },
  {
    name: "a value of the wrong type",
    text: manifest("p", ["192.0.2.1"], "  autoAssign: perhaps\n"),
    faults: ["6 PoolSchemaInvalid spec.autoAssign"],
  },
  { name: "no addresses", text: manifest("p", []), faults: ["6 PoolSchemaInvalid spec.addresses"] },
  {
    name: "another group",
    text: manifest("p", ["192.0.2.1"]).replace("bellhop.dev", "metallb.io"),
    faults: ["1 PoolSchemaInvalid apiVersion"],
  },
  { name: "no YAML", text: "a: [1\nb: 2", faults: ["2 ManifestInvalid "] },
  { name: "nothing", text: "", faults: [] },
  {
    name: "the second document",
    text: `${manifest("p", ["192.0.2.1"])}---\n${manifest("q", ["x"])}`,
    faults: ["15 PoolRangeInvalid spec.addresses[0]"],
  },
];

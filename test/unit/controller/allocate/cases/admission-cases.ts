import type { AllocationCase, PoolData } from "./allocation-case.ts";

const inPool = (name: string) => ({ annotations: { "bellhop.dev/pool": name } });
const named = "metadata.annotations[bellhop.dev/pool]";
const unnamed = { field: "spec.ipFamilies", value: "IPv4" } as const;
const kept = (serviceAllocation: Record<string, unknown>): PoolData => ({
  name: "kept",
  addresses: ["192.0.2.20"],
  spec: { serviceAllocation },
});

/** Pools that admit some Services only. */
export const admissionCases: readonly AllocationCase[] = [
  {
    name: "its namespace is listed",
    pools: [kept({ namespaces: ["default", "shop"] })],
    assigns: ["192.0.2.20 new from kept"],
  },
  {
    name: "its namespace is not listed",
    pools: [kept({ namespaces: ["shop"] })],
    assigns: [],
    refuses: { code: "NoPoolForService", ...unnamed, names: ["kept", "shop", "default"] },
  },
  {
    name: "the labels of its namespace match one of two selectors",
    pools: [kept({ namespaceSelectors: [{ matchLabels: { team: "b" } }, { matchLabels: { team: "a" } }] })],
    namespaceLabels: { team: "a" },
    assigns: ["192.0.2.20 new from kept"],
  },
  {
    name: "the labels of its namespace match no selector",
    pools: [kept({ namespaceSelectors: [{ matchLabels: { team: "b" } }] })],
    namespaceLabels: { team: "a" },
    assigns: [],
    refuses: { code: "NoPoolForService", ...unnamed, names: ["kept"] },
  },
  {
    name: "no selector matches a Service with too many labels to read them",
    pools: [kept({ serviceSelectors: [{ matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] }] })],
    service: { labels: Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`k${index}`, ""])) },
    assigns: [],
    refuses: { code: "NoPoolForService", ...unnamed, names: ["kept", "more than 256 labels"] },
  },
  {
    name: "either the name or the labels of its namespace are enough",
    pools: [kept({ namespaces: ["shop"], namespaceSelectors: [{ matchLabels: { team: "a" } }] })],
    namespaceLabels: { team: "a" },
    assigns: ["192.0.2.20 new from kept"],
  },
  {
    name: "its own labels match",
    pools: [kept({ serviceSelectors: [{ matchExpressions: [{ key: "tier", operator: "In", values: ["front"] }] }] })],
    service: { labels: { tier: "front" } },
    assigns: ["192.0.2.20 new from kept"],
  },
  {
    name: "its own labels do not match",
    pools: [kept({ serviceSelectors: [{ matchLabels: { tier: "front" } }] })],
    service: { labels: { tier: "back" } },
    assigns: [],
    refuses: { code: "NoPoolForService", ...unnamed, names: ["kept"] },
  },
  {
    name: "both namespace and labels must fit where both are restricted",
    pools: [kept({ namespaces: ["default"], serviceSelectors: [{ matchLabels: { tier: "front" } }] })],
    assigns: [],
    refuses: { code: "NoPoolForService", ...unnamed, names: ["kept"] },
  },
  {
    name: "naming the pool does not help a Service that it does not admit",
    pools: [kept({ namespaces: ["shop"] })],
    service: inPool("kept"),
    assigns: [],
    refuses: { code: "PoolForbidsService", field: named, value: "kept", names: ["shop"] },
  },
].map(({ name, ...rest }) => ({ name: `serviceAllocation: ${name}`, ...rest }) as AllocationCase);

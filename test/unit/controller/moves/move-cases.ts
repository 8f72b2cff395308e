interface MoveCase {
  readonly name: string;
  readonly node: string;
  readonly address?: string;
  readonly prepare?: "no leader" | "own address" | "local" | "drained" | "reserved";
  readonly code: string;
  readonly detail: RegExp;
}

/** Moves that are refused. Nodes n1 to n3 are on the LAN of the address, and `far` is not. */
export const moveCases: readonly MoveCase[] = [
  { name: "there is no such node", node: "n9", code: "NodeCannotAnnounce", detail: /The Node does not exist/ },
  {
    name: "the node is on another LAN",
    node: "far",
    code: "NodeCannotAnnounce",
    detail: /No interface is on the subnet/,
  },
  {
    name: "the node is drained",
    node: "n3",
    prepare: "drained",
    code: "NodeCannotAnnounce",
    detail: /Other nodes come first, because it is drained/,
  },
  {
    name: "the node has no ready pod under Local",
    node: "n3",
    prepare: "local",
    code: "NodeCannotAnnounce",
    detail: /externalTrafficPolicy Local, and no ready pod there\. n1 may/,
  },
  { name: "no controller leads", node: "n3", prepare: "no leader", code: "ControllerAbsent", detail: /Lease/ },
  {
    name: "there is no such address",
    node: "n3",
    address: "192.0.2.99",
    code: "NothingToMove",
    detail: /The VirtualIP does not exist/,
  },
  {
    name: "no Service has the address",
    node: "n3",
    address: "192.0.2.11",
    prepare: "reserved",
    code: "NothingToMove",
    detail: /No Service has it/,
  },
  {
    name: "it is the address of a node",
    node: "n3",
    address: "192.0.2.250",
    prepare: "own address",
    code: "NothingToMove",
    detail: /address of Node n1 itself/,
  },
];

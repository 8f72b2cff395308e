import { ipAddressPoolSpecSchema, ipAddressPoolStatusSchema } from "../../src/api/ip-address-pool.ts";
import { l2AdvertisementSpecSchema } from "../../src/api/l2-advertisement.ts";
import { speakerStatusSchema } from "../../src/api/speaker.ts";
import { speakerIdentitySpecSchema } from "../../src/api/speaker-identity.ts";
import { virtualIpSpecSchema, virtualIpStatusSchema } from "../../src/api/virtual-ip.ts";
import { ageColumn, customResourceDefinition, objectSchema } from "./definition.ts";
import { at, type OpenApiSchema, structuralSchema, type Validation } from "./schema.ts";

/** The longest text of an address range: two IPv6 addresses of 45 characters, a dash and blanks. */
const longestRange = 100;

const firstOf = "self.split('-')[0].trim()";
const lastOf = "self.split('-')[1].trim()";

/** An IPv4 address as one number, in CEL. */
function numberOf(text: string): string {
  return [16_777_216, 65_536, 256, 1]
    .map((weight, index) => `int(${text}.split('.')[${index}]) * ${weight}`)
    .join(" + ");
}

/**
 * The rules for one entry of `addresses`. The CEL library cannot order addresses, so the controller checks for reversed ranges of IPv6.
 * Overlaps between pools are not checked here, because a rule sees only one object.
 */
const rangeRules: readonly Validation[] = [
  {
    rule: `isIP(self) || isCIDR(self) || (self.split('-').size() == 2 && isIP(${firstOf}) && isIP(${lastOf}))`,
    messageExpression:
      '"\'" + self + "\' is neither an address, a CIDR nor a range; write 192.0.2.7, 192.0.2.0/24 or 192.0.2.10-192.0.2.20"',
  },
  {
    rule: "!isCIDR(self) || cidr(self).masked() == cidr(self)",
    messageExpression:
      '"\'" + self + "\' has host bits set; write the first address of the network before the /, or one address without it"',
  },
  {
    rule: `self.split('-').size() != 2 || !isIP(${firstOf}) || !isIP(${lastOf}) || ip(${firstOf}).family() == ip(${lastOf}).family()`,
    messageExpression: '"\'" + self + "\' mixes IPv4 and IPv6; both ends of a range must be of the same family"',
  },
  {
    rule: `self.split('-').size() != 2 || !self.matches('^ *([0-9]+[.]){3}[0-9]+ *- *([0-9]+[.]){3}[0-9]+ *$') || ${numberOf(firstOf)} <= ${numberOf(lastOf)}`,
    messageExpression: '"\'" + self + "\' ends before it begins; write the lower address first"',
  },
];

const durationRule: Validation = {
  rule: "self.matches('^([0-9]+([.][0-9]+)?(h|ms|m|s))+$')",
  messageExpression: '"\'" + self + "\' is not a duration; write hours, minutes or seconds: 10m, 1h30m"',
};

/** A pool has addresses of its own or those of nodes; fields for one kind have no effect in the other. */
const poolKindRules: Validation[] = [
  {
    rule: "has(self.addresses) != has(self.nodeAddresses)",
    message: "set either addresses, or nodeAddresses to assign the addresses of the nodes",
  },
  {
    rule: "!has(self.nodeAddresses) || (!has(self.exclude) || self.exclude.size() == 0) && !has(self.holdAfterDelete)",
    message: "exclude and holdAfterDelete have no effect with nodeAddresses; remove them",
  },
];

const portRule: Validation = {
  rule: "self.matches('^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?/(TCP|UDP|SCTP)$') && self.split('/')[0].split('-').all(number, int(number) <= 65535)",
  messageExpression:
    '"\'" + self + "\' is not a port; write a number or a range, and the protocol: 80/TCP or 8000-8100/TCP"',
};

/** Items with the same keys are one item: for server-side apply, and for the API server, which refuses duplicates. */
function mapList(schema: OpenApiSchema, path: string, keys: string[]): void {
  const list = at(schema, path);
  list["x-kubernetes-list-type"] = "map";
  list["x-kubernetes-list-map-keys"] = keys;
}

function ipAddressPool(): Record<string, unknown> {
  const spec = structuralSchema(ipAddressPoolSpecSchema);
  const status = structuralSchema(ipAddressPoolStatusSchema);
  mapList(status, "conditions", ["type"]);
  for (const list of ["addresses", "exclude"]) {
    at(spec, list).maxItems = 256;
    Object.assign(at(spec, `${list}[]`), { maxLength: longestRange, "x-kubernetes-validations": rangeRules });
  }
  spec["x-kubernetes-validations"] = poolKindRules;
  for (const list of ["allowedPorts", "reservedPorts"])
    at(spec, `nodeAddresses.${list}[]`)["x-kubernetes-validations"] = [portRule];
  Object.assign(at(spec, "holdAfterDelete"), { maxLength: 32, "x-kubernetes-validations": [durationRule] });
  return customResourceDefinition({
    kind: "IPAddressPool",
    plural: "ipaddresspools",
    shortNames: ["bpool"],
    status: true,
    columns: [
      { name: "State", type: "string", jsonPath: ".spec.state" },
      { name: "Auto", type: "boolean", jsonPath: ".spec.autoAssign" },
      { name: "IPv4 Used", type: "string", jsonPath: ".status.assignedIPv4" },
      { name: "IPv4 Free", type: "string", jsonPath: ".status.availableIPv4" },
      { name: "IPv6 Used", type: "string", jsonPath: ".status.assignedIPv6" },
      { name: "IPv6 Free", type: "string", jsonPath: ".status.availableIPv6" },
      { name: "Ready", type: "string", jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
      { name: "Reason", type: "string", jsonPath: ".status.conditions[?(@.type=='Ready')].reason", priority: 1 },
      ageColumn,
    ],
    schema: objectSchema("Addresses that Bellhop may assign to Services of type LoadBalancer.", { spec, status }),
  });
}

function l2Advertisement(): Record<string, unknown> {
  const spec = structuralSchema(l2AdvertisementSpecSchema);
  return customResourceDefinition({
    kind: "L2Advertisement",
    plural: "l2advertisements",
    shortNames: ["bl2"],
    status: false,
    // Its content is in lists, and it has no status that could count them: kubectl describe shows them.
    columns: [ageColumn],
    schema: objectSchema(
      "Restricts which pools are announced, from which nodes and interfaces. Without any L2Advertisement, every node on the subnet of an address may announce it.",
      { spec },
    ),
  });
}

function virtualIp(): Record<string, unknown> {
  const spec = structuralSchema(virtualIpSpecSchema);
  const status = structuralSchema(virtualIpStatusSchema);
  mapList(status, "conditions", ["type"]);
  mapList(spec, "services", ["namespace", "name"]);
  mapList(status, "services", ["namespace", "name"]);
  mapList(spec, "ownerInterfaces", ["node"]);
  const address = at(spec, "address");
  address.maxLength = 45;
  address["x-kubernetes-validations"] = [
    {
      rule: "isIP(self) && ip.isCanonical(self)",
      messageExpression:
        '"\'" + self + "\' is not the canonical text of an address (RFC 5952): lower case, shortest form, no zone"',
    },
    {
      rule: "self == oldSelf",
      message: "the address of a VirtualIP is immutable; create another VirtualIP and delete this one",
    },
  ];
  const schema = objectSchema(
    "The claim of one external address. Creating the object allocates the address, because its name is made from the address.",
    { spec, status },
  );
  schema["x-kubernetes-validations"] = [
    {
      rule: "self.metadata.name == (self.spec.address.startsWith(':') ? '0' : '') + self.spec.address.replace(':', '-') + (self.spec.address.endsWith(':') ? '0' : '')",
      messageExpression:
        "\"a VirtualIP is named after its address, with '-' for ':' and a 0 before a leading and after a trailing '-'; the name '\" + self.metadata.name + \"' does not match \" + self.spec.address",
    },
  ];
  return customResourceDefinition({
    kind: "VirtualIP",
    plural: "virtualips",
    shortNames: ["vip"],
    status: true,
    columns: [
      { name: "Namespace", type: "string", jsonPath: ".spec.services[0].namespace" },
      { name: "Service", type: "string", jsonPath: ".spec.services[0].name" },
      { name: "Pool", type: "string", jsonPath: ".spec.pool" },
      { name: "Node", type: "string", jsonPath: ".status.node", description: "The node that announces the address." },
      { name: "Held Until", type: "string", jsonPath: ".spec.heldUntil" },
      { name: "Since", type: "date", jsonPath: ".status.since" },
      {
        name: "Cause",
        type: "string",
        jsonPath: ".status.cause",
        description: "Why that node began to announce the address.",
      },
      { name: "MAC", type: "string", jsonPath: ".status.mac", priority: 1 },
      {
        name: "Owner",
        type: "string",
        jsonPath: ".spec.owners[0]",
        priority: 1,
        description: "The node that should announce the address. spec.owners lists the nodes that take over.",
      },
      {
        name: "Reservation Owner",
        type: "string",
        jsonPath: ".status.owners[0].node",
        priority: 1,
        description: "The same for a reservation by a user. status.owners lists the nodes that take over.",
      },
      {
        name: "Pinned To",
        type: "string",
        jsonPath: ".metadata.annotations.bellhop\\.dev/node",
        priority: 1,
        description: "The node that the address is pinned to, by the annotation bellhop.dev/node.",
      },
      {
        name: "Node Address",
        type: "string",
        jsonPath: ".spec.node",
        priority: 1,
        description: "The node whose own address this is.",
      },
      ageColumn,
    ],
    schema,
  });
}

function speaker(): Record<string, unknown> {
  const status = structuralSchema(speakerStatusSchema);
  mapList(status, "conditions", ["type"]);
  mapList(status, "interfaces", ["name"]);
  return customResourceDefinition({
    kind: "Speaker",
    plural: "speakers",
    shortNames: [],
    status: true,
    columns: [
      { name: "Version", type: "string", jsonPath: ".status.version" },
      { name: "Kernel", type: "string", jsonPath: ".status.kernel" },
      {
        name: "Announcing",
        type: "integer",
        jsonPath: ".status.announcingCount",
        description: "Number of addresses that the node announces.",
      },
      {
        name: "Drained",
        type: "string",
        jsonPath: ".metadata.annotations.bellhop\\.dev/drain",
        description: "Whether other nodes announce its addresses, because of the annotation bellhop.dev/drain.",
      },
      ageColumn,
    ],
    schema: objectSchema(
      "What the speaker of one node sees and announces. Only that speaker writes it. The object is named after the node.",
      { status },
    ),
  });
}

function speakerIdentity(): Record<string, unknown> {
  const spec = structuralSchema(speakerIdentitySpecSchema);
  at(spec, "addresses[]")["x-kubernetes-validations"] = [
    {
      rule: "isIP(self) && ip.isCanonical(self)",
      messageExpression:
        '"\'" + self + "\' is not the canonical text of an address (RFC 5952): lower case, shortest form, no zone"',
    },
  ];
  at(spec, "port").maximum = 65_535;
  return customResourceDefinition({
    kind: "SpeakerIdentity",
    plural: "speakeridentities",
    shortNames: [],
    status: false,
    columns: [
      {
        name: "Address",
        type: "string",
        jsonPath: ".spec.addresses[0]",
        description: "Where the speaker receives heartbeats.",
      },
      {
        name: "Second Address",
        type: "string",
        jsonPath: ".spec.addresses[1]",
        priority: 1,
        description: "The same in the other IP family.",
      },
      { name: "Port", type: "integer", jsonPath: ".spec.port", description: "The UDP port of heartbeats." },
      { name: "MAC", type: "string", jsonPath: ".spec.macs[0]", priority: 1 },
      ageColumn,
    ],
    schema: objectSchema(
      "How the speakers of other nodes reach the speaker of one node. Only that speaker writes it. The object is named after the node.",
      { spec },
    ),
  });
}

/** File name and object of every kind. */
export const definitions: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
  ["ipaddresspools.yaml", ipAddressPool()],
  ["l2advertisements.yaml", l2Advertisement()],
  ["virtualips.yaml", virtualIp()],
  ["speakers.yaml", speaker()],
  ["speakeridentities.yaml", speakerIdentity()],
];

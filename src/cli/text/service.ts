import type {
  FamilyPart,
  NodeEndpoints,
  PortPart,
  ServiceExplanation,
} from "../../../controller/explain/service/explanation.ts";
import { fieldText } from "../../model/reason.ts";
import { renderClaim } from "./claim.ts";
import type { Palette } from "./palette.ts";
import { reasonText } from "./reason.ts";
import { summarize } from "./summary.ts";

/** The explanation for people: from what was requested down to one conclusion and its cure. Ends with a line break. */
export function renderService(explanation: ServiceExplanation, palette: Palette): string {
  const { bold } = palette;
  const lines = [
    bold(`Service ${explanation.service}`),
    "",
    ...renderRequest(explanation),
    "",
    ...explanation.families.flatMap((family) => [...renderFamily(family, palette), ""]),
    ...renderPorts(explanation.ports, palette),
    ...renderEndpoints(explanation, palette),
    ...renderConditions(explanation, palette),
    ...(explanation.families.length > 0 || explanation.conditions.length > 0 ? [""] : []),
    ...renderConclusion(explanation, palette),
  ];
  return `${lines.join("\n")}\n`;
}

function renderRequest({ request, class: { name, reason } }: ServiceExplanation): readonly string[] {
  const { ipFamilies, ipFamilyPolicy, externalTrafficPolicy, requests } = request;
  const requested = requests.map(({ field, text }) => `${fieldText(field)} ${JSON.stringify(text)}`);
  return [
    `  Requests   ${ipFamilies.join(" and ")} (${ipFamilyPolicy}), externalTrafficPolicy ${externalTrafficPolicy}`,
    ...(requested.length === 0
      ? ["             no particular address or pool"]
      : requested.map((text) => `             ${text}`)),
    `  Class      ${name ?? "none"}: ${reason}`,
  ];
}

function renderFamily({ family, addresses, requested, pools }: FamilyPart, palette: Palette): readonly string[] {
  if (addresses.length > 0) return addresses.flatMap((address) => renderClaim(family, address, palette));
  const { bold, good, bad } = palette;
  const results = summarize(untilAssigned(pools), {
    groupOf: ({ code }) => String(code),
    nameOf: ({ pool }) => pool,
    isNotable: ({ address }) => address !== undefined,
    line: ({ pool, address, code, reason }) =>
      address === undefined
        ? `    ${bad("✗")} pool ${pool}: ${code}. ${reason}`
        : `    ${good("✓")} pool ${pool} can assign ${address}`,
    groupLine: ({ length }, { code, pool, reason }, names) =>
      `    ${bad("✗")} ${length} pools (such as ${names}): ${code}. ${pool}: ${reason}`,
  });
  const annotation = requested === undefined ? "" : `; ${requested} is requested`;
  return [`  ${bold(family)}       no address${annotation}`, ...results];
}

/** Pools after the first that can assign an address are not tried. */
function untilAssigned<Part extends { readonly address: string | undefined }>(pools: readonly Part[]): readonly Part[] {
  const first = pools.findIndex(({ address }) => address !== undefined);
  return first < 0 ? pools : pools.slice(0, first + 1);
}

function renderPorts(ports: readonly PortPart[], { faint, bad }: Palette): readonly string[] {
  return ports.map(({ port, protocol, name, path, ready }, index) => {
    const counts = Object.entries(ready).map(([family, count]) => `${count} ${family}`);
    const none = Object.values(ready).every((count) => count === 0);
    const endpoints = `ready endpoints: ${counts.join(", ") || "0"}`;
    const label = index === 0 ? "Ports" : "";
    return `  ${label.padEnd(10)} ${port}/${protocol}${name === "" ? "" : ` ${faint(name)}`} → ${path}; ${none ? bad(endpoints) : endpoints}`;
  });
}

function renderEndpoints({ endpoints, families }: ServiceExplanation, { bad }: Palette): readonly string[] {
  return families.map(({ family }, index) => {
    const own = endpoints.filter((count) => count.family === family);
    const texts = summarize(own, {
      groupOf: ({ notReady }) => (notReady > 0 ? "not ready" : "ready"),
      nameOf: ({ node }) => node ?? "unknown node",
      isNotable: () => false,
      line: (count) => `${count.node ?? "unknown node"} ${describeCount(count, bad)}`,
      groupLine: (group, _example, names) =>
        `${group.length} nodes (such as ${names}) ${describeCount(sumOf(group), bad)}`,
    });
    return `  ${(index === 0 ? "Endpoints" : "").padEnd(10)} ${family}: ${texts.join("; ") || bad("none")}`;
  });
}

function sumOf(counts: readonly NodeEndpoints[]): Pick<NodeEndpoints, "ready" | "draining" | "notReady"> {
  const add = (of: (count: NodeEndpoints) => number): number => counts.reduce((sum, count) => sum + of(count), 0);
  return {
    ready: add(({ ready }) => ready),
    draining: add(({ draining }) => draining),
    notReady: add(({ notReady }) => notReady),
  };
}

function describeCount(
  { ready, draining, notReady }: Pick<NodeEndpoints, "ready" | "draining" | "notReady">,
  bad: Palette["bad"],
): string {
  return [
    ...(ready > 0 ? [`${ready} ready`] : []),
    ...(draining > 0 ? [`${draining} terminating, still serving`] : []),
    ...(notReady > 0 ? [bad(`${notReady} not ready`)] : []),
  ].join(", ");
}

/** Leaves out the message that the conclusion repeats. */
function renderConditions({ conditions, reasons }: ServiceExplanation, { faint }: Palette): readonly string[] {
  return conditions.map(({ type, status, reason, message }, index) => {
    const text = `  ${(index === 0 ? "Conditions" : "").padEnd(10)} ${type} ${status}, ${reason}`;
    return reasons.some(({ code }) => code === reason) ? text : `${text}: ${faint(message)}`;
  });
}

function renderConclusion(explanation: ServiceExplanation, palette: Palette): readonly string[] {
  const { served, addresses, families, reasons, warnings, remarks } = explanation;
  const { bold, good, bad } = palette;
  const notes = [
    ...warnings.flatMap((reason) => [`  Warning: ${bold(reason.code)}`, ...reasonText(reason)]),
    ...remarks.map((remark) => `  Note: ${remark}`),
  ];
  const [first, ...others] = reasons;
  if (served || first === undefined) {
    const own = families.some((family) => family.addresses.some(({ node }) => node !== undefined));
    const several = addresses.length > 1;
    const announced = several ? "are announced and have" : "is announced and has";
    const ofNodes = several ? "are node addresses and have" : "is a node address and has";
    const text = own ? ofNodes : announced;
    return [good(bold(`✓ Served: ${addresses.join(" and ")} ${text} ready endpoints.`)), ...notes];
  }
  return [
    bad(bold(`✗ Not served: ${first.code}`)),
    ...reasonText(first),
    ...others.flatMap((reason, index) => {
      // A cure is printed once.
      const repeated = reasons.slice(0, index + 1).some(({ cure }) => cure === reason.cure);
      return [`  Also ${bold(reason.code)}`, ...reasonText(reason).slice(0, repeated ? 1 : undefined)];
    }),
    ...notes,
  ];
}

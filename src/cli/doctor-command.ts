import { networkInterfaces } from "node:os";
import { Argument, Command, InvalidArgumentError } from "commander";
import { type Speaker, speakerSchema } from "../api/speaker.ts";
import { virtualIpSchema } from "../api/virtual-ip.ts";
import { BellhopError } from "../error/error.ts";
import { formatAddress, type IpAddress, parseAddress, virtualIpName } from "../ip/address.ts";
import type { ApiClient } from "../kube/client.ts";
import { getObject } from "../kube/get-object.ts";
import { listCollection } from "../kube/list.ts";
import { ownPath } from "../kube/path.ts";
import { type Diagnosis, diagnoseNeighbour } from "../neighbour/diagnose.ts";
import { lookUpNeighbour } from "../neighbour/lookup.ts";
import type { Palette } from "./text/palette.ts";
import { addClusterOptions, type ClusterCommandOptions, printAnswer, withCluster } from "./with-cluster.ts";

/**
 * `bellhop doctor`: compares which device answers for an address on the LAN of this host with what the cluster says, and prints what is wrong
 * with the settings of the nodes concerned.
 */
export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description(
      "check from this host which device on the LAN answers for an address; exit code 0: as expected, 1: a problem, 2: error",
    )
    .addArgument(new Argument("<address>", "an IPv4 address: 192.0.2.7").argParser(parseIPv4));
  return addClusterOptions(command).action(async (address: IpAddress, options: ClusterCommandOptions) => {
    const diagnosis = await withCluster(options, ({ client }) => diagnose(client, address));
    printAnswer(options, diagnosis, renderDiagnosis);
    process.exitCode = diagnosis.good ? 0 : 1;
  });
}

async function diagnose(client: ApiClient, address: IpAddress): Promise<Diagnosis> {
  const text = formatAddress(address);
  const [seenMac, virtualIp, speakers] = await Promise.all([
    lookUpNeighbour(text),
    readVirtualIp(client, virtualIpName(address)),
    readSpeakers(client),
  ]);
  const ownMacs = new Set(Object.values(networkInterfaces()).flatMap((link) => (link ?? []).map(({ mac }) => mac)));
  return diagnoseNeighbour({
    address: text,
    virtualIp,
    speakers,
    seenMac,
    ownMacs,
  });
}

async function readSpeakers(client: ApiClient): Promise<readonly Speaker[]> {
  const speakers: Speaker[] = [];
  const take = (raw: unknown): void => {
    const { data } = speakerSchema.safeParse(raw);
    if (data !== undefined) speakers.push(data);
  };
  await listCollection(client, { path: ownPath("speakers"), take });
  return speakers;
}

async function readVirtualIp(client: ApiClient, name: string) {
  const { success, data } = virtualIpSchema.optional().safeParse(await getObject(client, ownPath("virtualips", name)));
  if (success) return data;
  const remedy = "Install the CustomResourceDefinitions of this version.";
  throw new BellhopError("ApiRequestFailed", `the VirtualIP ${name} does not match its schema. ${remedy}`);
}

function renderDiagnosis(diagnosis: Diagnosis, palette: Palette): string {
  const mark = diagnosis.good ? palette.good("✓") : palette.bad("✗");
  return [`${mark} ${diagnosis.message}`, ...diagnosis.warnings.map((text) => `  Note: ${text}`), ""].join("\n");
}

function parseIPv4(text: string): IpAddress {
  const address = parseAddress(text);
  if (address?.family !== "IPv4")
    throw new InvalidArgumentError("It is not an IPv4 address. The look-up uses ARP, which only IPv4 has.");
  return address;
}

import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { parseAddress, virtualIpName } from "../../src/ip/address.ts";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait.ts";
import { dim } from "./colour.ts";

/** Says in words which node answers for the address, and shows that the client's own neighbour table agrees. */
export async function explainAnnouncer(lab: Lab, ip: string): Promise<void> {
  const address = parseAddress(ip);
  const name = address === undefined ? ip : virtualIpName(address);
  const virtualIp = await waitFor({ what: `VirtualIP ${ip} to be announced`, timeoutMs: 10_000 }, async () => {
    const found = await lab.api<VirtualIP>("GET", `/apis/bellhop.dev/v1beta1/virtualips/${name}`);
    return found.status?.node === undefined ? undefined : found;
  });
  const { owners } = virtualIp.spec;
  const { node, mac } = virtualIp.status ?? {};
  process.stdout.write(
    `${ip}: ${node} answers, because it is the first of the owners (${owners.join(", ")}); the next one takes over if it fails.\n`,
  );
  process.stdout.write(dim(`$ ip neighbour show ${ip}      # on the LAN client\n`));
  const neighbour = (await lab.exec("client", ["ip", "neighbour", "show", ip])).stdout.trim();
  const agrees = mac !== undefined && neighbour.includes(mac);
  process.stdout.write(`${neighbour}  ${dim(agrees ? `the MAC address of ${node}` : `${node} has ${mac}`)}\n`);
}

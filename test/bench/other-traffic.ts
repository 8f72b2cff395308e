import { renderService } from "../../speaker/dataplane/render.ts";
import { parseAddress } from "../../src/ip/address.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { createKernelDataplane } from "../network/kernel-dataplane.ts";
import { Lan } from "../network/lan.ts";
import { RemoteKernel } from "../network/remote-kernel.ts";
import { byNodePort, endpoint, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * What packets from pod to pod pay for our rules on the node between them: `npm run bench -- other-traffic [Services] [pings] [trials]`. Needs root, and a
 * machine that does nothing else. Pings one after the other, as fast as each is answered, in turns without our table and with it. For the version before,
 * run it there.
 */
const [servicesText = "1000", pingsText = "50000", trialsText = "9"] = process.argv.slice(2);
/** As many as 198.18.0.0/16 has addresses. */
const services = wholeNumber("Services", servicesText, { from: 1, to: 65_536 });
const pings = wholeNumber("pings", pingsText, { from: 1, to: 10_000_000 });
const trials = wholeNumber("trials", trialsText, { from: 1, to: 1_000 });
const node = { name: "n1", addresses: { IPv4: "192.0.2.11", IPv6: undefined }, answersPing: true, hashSeed: 1 };

async function pingMicroseconds(lan: Lan): Promise<number> {
  const [pod] = lan.pods;
  const output = (await pod?.sh(`ping -n -q -f -c ${pings} 10.244.2.2`)) ?? "";
  const [, received, timeMs] = /(\d+) received.*time (\d+)ms/.exec(output) ?? [];
  // A flood sends another one after 10 ms without an answer.
  if (Number(received) < pings * 0.999) throw new Error(output);
  return (Number(timeMs) * 1000) / pings;
}

const lan = await Lan.create();
const kernel = await RemoteKernel.start(lan.nodes[0]);
const dataplane = createKernelDataplane(kernel);
try {
  const views = Array.from({ length: services }, (_, index) => {
    const address = parseAddress(`198.18.${index >> 8}.${index & 255}`);
    const view = service({ key: `default/s${index}`, ...(index % 2 === 0 ? byNodePort : {}) });
    return { view, addresses: address === undefined ? [] : [address] };
  });
  const slices = [slice([endpoint("10.244.1.2")])];
  const write = async (present: boolean) => {
    for (const { view, addresses } of views) {
      const elements = present ? renderService(view, slices, addresses, node).elements : [];
      dataplane.setService(view.key, elements);
    }
    const { failures } = await dataplane.apply({ nodeAddresses: node.addresses });
    if (failures.length > 0) throw failures[0]?.error;
    // What is written as elements that change one by one is written as a whole by a restart, too.
    dataplane.invalidate();
    await dataplane.apply({ nodeAddresses: node.addresses });
  };
  const [without, withRules, ratios]: [number[], number[], number[]] = [[], [], []];
  await pingMicroseconds(lan);
  for (let trial = 0; trial < trials; trial++) {
    await write(false);
    const bare = await pingMicroseconds(lan);
    await write(true);
    const ruled = await pingMicroseconds(lan);
    without.push(bare);
    withRules.push(ruled);
    ratios.push(ruled / bare);
  }
  const show = (title: string, values: readonly number[], digits: number) =>
    process.stdout.write(`${title}: ${formatSpread(spreadOf(values), digits)}\n`);
  show("from pod to pod and back without our rules, µs", without, 2);
  show(`with those of ${services} Services, µs`, withRules, 2);
  show("ratio", ratios, 3);
} finally {
  dataplane.stop();
  kernel.kill();
  lan.destroy();
}

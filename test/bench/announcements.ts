import { wholeNumber } from "../lab/whole-number.ts";
import { link, SpeakerFixture } from "../unit/speaker/speaker-fixture.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * What one change of an address costs a speaker, by how many addresses it announces: `npm run bench -- announcements [count...]`. Needs
 * no cluster and no root: kernel, responder thread and API server are those in memory, whose work, which does not grow, is part of the
 * figure. Where the time goes is told by `node --cpu-prof test/bench/announcements.ts 3000`.
 */
const counts = process.argv.length > 2 ? process.argv.slice(2).map(countIn) : [10, 3_000];
const rounds = 10;
const changes = 20;

/** The second address is the one that moves, and eth1 has addresses for all. */
function countIn(text: string): number {
  return wholeNumber("count", text, { from: 2, to: 60_000 });
}

function address(index: number): string {
  return `10.1.${index >> 8}.${index & 255}`;
}

async function measure(count: number): Promise<void> {
  const world = new SpeakerFixture();
  world.links = [link("eth0", "192.0.2.11/24"), link("eth1", "10.1.255.1/16")];
  await world.populate("n1");
  for (let index = 0; index < count; index++) await world.serve(address(index), ["n1"], `s${index}`);
  await world.start();
  const costsMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    // An address that moves to another node, and back.
    for (let change = 0; change < changes; change++)
      await world.setOwners(address(1), change % 2 === 0 ? ["n2"] : ["n1"]);
    const { user, system } = process.cpuUsage(before);
    costsMs.push((user + system) / 1000 / changes);
  }
  if (world.responder.announced.length !== count + 1) throw new Error("the speaker has not kept up");
  process.stdout.write(`one address moves among ${count}: speaker's CPU, ms: ${formatSpread(spreadOf(costsMs), 2)}\n`);
  await world.stop();
}

for (const count of counts) await measure(count);

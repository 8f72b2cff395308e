import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { HeardArp } from "../../e2e/probe/arp-listener.ts";
import { writeKubeconfig } from "../../network/kubeconfig.ts";
import { Lan } from "../../network/lan.ts";
import { Program } from "../../network/program.ts";
import type { Version } from "../services/version.ts";
import { watchRules } from "./rules-watch.ts";
import type { SeenObject } from "./seen-object.ts";
import { type Stage, type Trial, timeLineOf } from "./time-line.ts";

/** Between two Services, as a user creates them. */
const pauseMs = 3_000;
/** The last packets may arrive a little later than the answer. */
const settleMs = 500;
/** Until the speaker takes addresses over, and the controller leads. */
const startMs = 8_000;

type Changes = readonly SeenObject[];

/** A node with the controller, the speaker and one pod, and a client on its LAN, in network namespaces. The API server is in memory. */
export class SmallCluster {
  readonly #lan: Lan;
  readonly #api: Program;
  readonly #folder = mkdtempSync(join(tmpdir(), "bellhop-bench-"));
  readonly #programs: Program[] = [];
  #created = 0;

  private constructor(lan: Lan) {
    this.#lan = lan;
    this.#api = new Program(lan.nodes[0], "../bench/first-answer/api-process.ts", []);
  }

  static async start(version: Version): Promise<SmallCluster> {
    const lan = await Lan.create({ server: "../bench/first-answer/web-server.ts" });
    const cluster = new SmallCluster(lan);
    const kubeconfig = writeKubeconfig(cluster.#folder, await cluster.#api.line());
    const options = ["--kubeconfig", kubeconfig, "--http-host", "127.0.0.1", "--log-level", "warn"];
    const main = join(version.checkout, "src/cli/main.ts");
    const environment = { ...process.env, NODE_NAME: "n1", POD_NAME: "controller" };
    for (const words of [["controller"], ["speaker", "--state-directory", cluster.#folder]])
      cluster.#programs.push(new Program(lan.nodes[0], main, [...words, ...options], environment));
    await sleep(startMs);
    return cluster;
  }

  /** Creates Services one after the other, asks each until it answers, and deletes it. Returns the time line of each. */
  async createServices(port: object, count: number): Promise<readonly Readonly<Partial<Record<Stage, number>>>[]> {
    const { client, nodes } = this.#lan;
    const rules = watchRules(["n1"], (_, argv) => nodes[0].spawn(argv, { stdio: ["ignore", "pipe", "inherit"] }));
    const listener = new Program(client, "../e2e/probe/arp-listener.ts", [JSON.stringify({ interfaceName: "eth0" })]);
    await listener.line();
    const asking = new Program(client, "../bench/first-answer/waiting-client.ts", []);
    const trials: Trial[] = [];
    for (let trial = 0; trial < count; trial++) {
      await sleep(pauseMs);
      this.#created += 1;
      trials.push(await this.#createOne(asking, `trial-${this.#created}`, port));
    }
    await sleep(settleMs);
    await rules.close();
    asking.kill();
    listener.endInput();
    const arp = JSON.parse(await listener.line()) as readonly HeardArp[];
    const { services, virtualIps, slices } = await this.#seen();
    const seen = { services, virtualIps, slices, arp, rules: rules.seen, nodeOfMac: () => "n1" };
    return trials.map((trial) => timeLineOf(trial, seen));
  }

  async #createOne(asking: Program, service: string, port: object): Promise<Trial> {
    // The address of the Service before is assigned again.
    await this.#lan.client.sh("ip neigh flush dev eth0");
    const created = await this.#api.say(`create ${service} ${JSON.stringify(port)}`);
    const times = JSON.parse(created) as Pick<Trial, "startMs" | "createdMs">;
    const address = JSON.parse(await this.#api.say(`address ${service}`)) as string;
    const answeredMs = Number(await asking.say(address));
    await this.#api.say(`delete ${service}`);
    return { service, address, ...times, answeredMs };
  }

  async #seen(): Promise<Readonly<Record<"services" | "virtualIps" | "slices", Changes>>> {
    return JSON.parse(await this.#api.say("seen")) as Readonly<Record<"services" | "virtualIps" | "slices", Changes>>;
  }

  end(): void {
    for (const program of this.#programs) program.kill();
    this.#api.kill();
    this.#lan.destroy();
    rmSync(this.#folder, { recursive: true });
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { writeKubeconfig } from "../../network/kubeconfig.ts";
import { Namespace } from "../../network/namespace.ts";
import { Program } from "../../network/program.ts";
import { speakerNodeOptions } from "../measured-node.ts";
import { presentVersion } from "../services/version.ts";
import type { ApiQuestion } from "./api-process.ts";

/** What a speaker says of itself at /metrics: values by name, with labels as they are printed. */
export type SpeakerFigures = ReadonlyMap<string, number>;

/** The speaker as a program on one node, with the real kernel and an API server in memory, which is another process. */
export class MeasuredSpeaker {
  readonly node: Namespace;
  readonly #lan: Namespace;
  readonly #api: Program;
  #speaker: Program | undefined;

  private constructor(node: Namespace, lan: Namespace) {
    this.node = node;
    this.#lan = lan;
    this.#api = new Program(node, "../bench/speaker/api-process.ts", []);
  }

  /** `folder`: where its files are. */
  static async start(folder: string): Promise<MeasuredSpeaker> {
    const [node, lan] = await Promise.all([Namespace.create("n1"), Namespace.create("lan")]);
    const started = new MeasuredSpeaker(node, lan);
    try {
      await lan.connect(node, "eth0", "eth0");
      await node.sh("ip addr add 198.18.0.11/15 dev eth0; sysctl -qw net.ipv4.ip_forward=1");
      await started.#run(folder, await started.#api.line());
    } catch (error) {
      started.end();
      throw error;
    }
    return started;
  }

  async #run(folder: string, server: string): Promise<void> {
    const kubeconfig = writeKubeconfig(folder, server);
    const args = ["speaker", "--kubeconfig", kubeconfig, "--http-host", "127.0.0.1", "--log-level", "warn"];
    const state = ["--state-directory", folder];
    const environment = { ...process.env, NODE_NAME: "n1", NODE_OPTIONS: speakerNodeOptions(presentVersion.checkout) };
    this.#speaker = new Program(this.node, "../../src/cli/main.ts", [...args, ...state], environment);
    for (let attempt = 0; !(await this.#fetch("/readyz")).startsWith("ok"); attempt++) {
      if (attempt > 100) throw new Error("the speaker is not ready");
      await sleep(100);
    }
  }

  /** What the speaker serves; empty while it does not. */
  async #fetch(path: string): Promise<string> {
    const script = `fetch("http://127.0.0.1:7481${path}").then((r) => r.text()).then(console.log, () => {})`;
    return this.node.sh(`${process.execPath} -e '${script}'`);
  }

  async figures(): Promise<SpeakerFigures> {
    const lines = (await this.#fetch("/metrics")).split("\n").filter((line) => !line.startsWith("#"));
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
  }

  async ask<Answer>(question: ApiQuestion): Promise<Answer> {
    return JSON.parse(await this.#api.say(JSON.stringify(question))) as Answer;
  }

  /** The endpoints that nft(8) lists in our table: `address endpoint`. */
  async endpointsInKernel(): Promise<ReadonlySet<string>> {
    const listed = await this.node.try("nft list map ip bellhop tcp_endpoints");
    return new Set(
      [...listed.matchAll(/([\d.]+) \. 80 \. \d+ : ([\d.]+) \. 8080/g)].map(([, to, at]) => `${to} ${at}`),
    );
  }

  /** Endpoints that the kernel lacks, and such as no Service has. */
  async #differences(): Promise<number> {
    const desired = new Set(await this.ask<readonly string[]>({ kind: "endpoints" }));
    const present = await this.endpointsInKernel();
    const missing = [...desired].filter((one) => !present.has(one));
    const left = [...present].filter((one) => !desired.has(one));
    return missing.length + left.length;
  }

  /** Waits until the kernel has the endpoints of all Services and no others, and no longer than 30 s. Returns how many differ then. */
  async settle(): Promise<number> {
    for (let attempt = 0; attempt < 100; attempt++) {
      if ((await this.#differences()) === 0) return 0;
      await sleep(300);
    }
    return this.#differences();
  }

  end(): void {
    this.#speaker?.kill();
    this.#api.kill();
    for (const namespace of [this.node, this.#lan]) namespace.destroy();
  }
}

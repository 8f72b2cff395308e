import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeKubeconfig } from "./kubeconfig.ts";
import type { Namespace } from "./namespace.ts";
import { Program } from "./program.ts";

/** The API server of `api-process.ts` on a node of a LAN, and the programs of Bellhop that use it as this node. */
export class ApiServer {
  readonly #node: Namespace;
  readonly #nodeName: string;
  readonly #program: Program;
  readonly #folder = mkdtempSync(join(tmpdir(), "bellhop-network-"));
  readonly #kubeconfig: string;
  readonly #started: Program[] = [];

  private constructor(node: Namespace, nodeName: string, program: Program, server: string) {
    this.#node = node;
    this.#nodeName = nodeName;
    this.#program = program;
    this.#kubeconfig = writeKubeconfig(this.#folder, server);
  }

  static async start(node: Namespace, nodeName = "n1"): Promise<ApiServer> {
    const program = new Program(node, "api-process.ts", []);
    return new ApiServer(node, nodeName, program, await program.line());
  }

  async get<Body>(path: string): Promise<Body> {
    return JSON.parse(await this.#program.say(`GET ${path}`)) as Body;
  }

  async post(path: string, body: object): Promise<void> {
    await this.#program.say(`POST ${path} ${JSON.stringify(body)}`);
  }

  /** `body`: a merge patch. */
  async patch(path: string, body: object): Promise<void> {
    await this.#program.say(`PATCH ${path} ${JSON.stringify(body)}`);
  }

  /** Starts `bellhop` with the first words of its command line: `controller` or `speaker`, and options. */
  startBellhop(...words: readonly string[]): Program {
    const args = [...words, "--kubeconfig", this.#kubeconfig, "--http-host", "127.0.0.1"];
    const env = { ...process.env, NODE_NAME: this.#nodeName };
    const program = new Program(this.#node, "../../src/cli/main.ts", args, env);
    this.#started.push(program);
    return program;
  }

  /** Kills the programs, and then the API server. */
  destroy(): void {
    for (const program of this.#started) program.kill();
    this.#program.kill();
    rmSync(this.#folder, { recursive: true });
  }
}

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { nodeNames } from "./addresses.ts";
import { callApi } from "./api.ts";
import { findNetworks, removeLab } from "./cleanup.ts";
import { type CommandResult, runCommand } from "./command.ts";
import * as controlPlane from "./control-plane.ts";
import { LabError } from "./error.ts";
import { addLosses, type FrameLoss, lossBetween, removeLosses } from "./frame-loss.ts";
import { type FrozenThread, freezeCgroup, freezeThread, thawCgroup } from "./freezer.ts";
import { importImage } from "./images.ts";
import { withLock } from "./lock.ts";
import { enterHost, enterNetwork, hostProcess, isNode, ROOT_HOST } from "./namespaces.ts";
import { cutHosts, groupMembers, HOSTS, setCable } from "./network.ts";
import { restartMachine, stopMachine } from "./node.ts";
import { nodeCgroup } from "./node-files.ts";
import { findInCgroup, findNamespaceMembers, LAB_MARKER, type ProcessRecord } from "./processes.ts";
import { type LabOptions, LabState } from "./state.ts";

export interface ExecOptions {
  input?: string;
  /** The command is killed after this time and the call fails; 60,000 when left out. */
  timeoutMs?: number;
  /** Added to the environment. */
  env?: Record<string, string>;
}

/** A lab that has been brought up. Every method looks at the lab as it is now, so that several programs may use one. */
export class Lab {
  readonly options: LabOptions;
  /** The folder with everything of the lab that is on disk. */
  readonly folder: string;
  /** Path of the unix socket at which the API answers the administrator in plain HTTP (node:http, socketPath). */
  readonly apiSocket: string;
  /** Path of the administrator's kubeconfig; its address is reachable on the lab's hosts only. */
  readonly kubeconfig: string;
  readonly nodes: readonly string[];
  private readonly state: LabState;
  private readonly programs: string;

  constructor(state: LabState, options: LabOptions, programs: string) {
    this.state = state;
    this.options = options;
    this.programs = programs;
    this.folder = state.folder;
    this.apiSocket = controlPlane.apiSocket(state);
    this.kubeconfig = controlPlane.adminKubeconfig(state);
    this.nodes = nodeNames(options.nodes);
  }

  /** All names that exec and spawn take. */
  get hosts(): string[] {
    return [ROOT_HOST, ...HOSTS, ...this.nodes];
  }

  /** Runs a command on a host to its end. Any exit code is a result; on nodes the command sees the node's files. */
  async exec(host: string, argv: readonly string[], options: ExecOptions = {}): Promise<CommandResult> {
    const { env, ...rest } = options;
    return runCommand([...this.enter(host), ...argv], { ...rest, env: this.environment(host, env) });
  }

  /** Starts a command on a host. The child is the command itself, so signals reach it, except on nodes: there killing the
   * child kills the command, whatever the signal. It is killed with the lab, and with the node if it runs on one. */
  spawn(host: string, argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = "", ...args] = [...this.enter(host), ...argv];
    return spawn(program, args, { ...options, env: this.environment(host, options.env) });
  }

  /** Starts a command with a host's network, but the machine's files and processes also where the host is a node. It is killed
   * with the lab. */
  spawnInNetwork(host: string, argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = "", ...args] = [...enterNetwork(this.state, this.known(host)), ...argv];
    return spawn(program, args, { ...options, env: this.environment(ROOT_HOST, options.env) });
  }

  /** Runs kubectl as administrator and gives what it prints; throws with its message when it fails. */
  async kubectl(args: readonly string[], input?: string, timeoutMs = 60_000): Promise<string> {
    const options: ExecOptions = input === undefined ? { timeoutMs } : { input, timeoutMs };
    const result = await this.exec("control", ["kubectl", ...args], options);
    if (result.code === 0) return result.stdout;
    throw new LabError("command-failed", `kubectl ${args.join(" ")}: exit code ${result.code}\n${result.stderr}`);
  }

  /** Asks the API as administrator and gives the parsed answer; throws for any status but 2xx. PATCH is server-side
   * apply, and needs a fieldManager in the path. */
  api<T>(method: string, path: string, body?: object): Promise<T> {
    return callApi<T>(this.apiSocket, method, path, body);
  }

  /** Gives an image to all nodes (those that run), or to some of them; see importImage for the name. */
  async loadImage(archive: string, options: { nodes?: readonly string[]; name?: string } = {}): Promise<void> {
    const nodes = options.nodes ?? this.nodes.filter((node) => this.isRunning(node));
    await Promise.all(nodes.map((node) => importImage(this.state, node, archive, options.name)));
  }

  /** Pulls the cable of a node (or of any other host but the LAN itself). */
  async cutNode(host: string): Promise<void> {
    await setCable(this.state, this.known(host), false);
  }

  /** Puts the cable back. */
  async restoreNode(host: string): Promise<void> {
    await setCable(this.state, this.known(host), true);
  }

  /** The hosts whose cable is pulled. */
  cutHosts(): Promise<string[]> {
    return cutHosts(this.state);
  }

  /** The hosts that receive frames to an IPv6 multicast group. Empty unless the switch snoops MLD. */
  groupMembers(group: string): Promise<readonly string[]> {
    return groupMembers(this.state, group);
  }

  /** Makes the switch drop what a host sends: it hears the others, and none of them hears it. Its interface keeps its carrier. */
  async muteHost(host: string): Promise<void> {
    await addLosses(this.state, [{ from: this.known(host) }]);
  }

  /** Makes the switch drop what is for a host: the others hear it, and it hears none of them. */
  async deafenHost(host: string): Promise<void> {
    await addLosses(this.state, [{ to: this.known(host) }]);
  }

  /** Makes the switch drop all frames from and to a host, as a switch does that hangs: its interface keeps its carrier. */
  async silenceHost(host: string): Promise<void> {
    await addLosses(this.state, [{ from: this.known(host) }, { to: host }]);
  }

  /** Cuts the LAN into halves: no frame gets from a host of one to a host of the other. Hosts that are in neither reach both. */
  async splitLan(half: readonly string[], other: readonly string[]): Promise<void> {
    await addLosses(
      this.state,
      lossBetween(
        half.map((host) => this.known(host)),
        other.map((host) => this.known(host)),
      ),
    );
  }

  /** Makes the switch drop these frames, too. */
  async dropFrames(losses: readonly FrameLoss[]): Promise<void> {
    await addLosses(this.state, losses);
  }

  /** Ends everything that muteHost, deafenHost, silenceHost, splitLan and dropFrames have done. */
  async deliverFrames(): Promise<void> {
    await removeLosses(this.state);
  }

  /** Freezes all processes of a node. Its kernel continues to forward packets and to answer for the node's own addresses. */
  async freezeNode(node: string): Promise<void> {
    const { pid } = hostProcess(this.state, this.knownNode(node));
    await freezeCgroup(nodeCgroup(this.state, node), () => findNamespaceMembers(pid));
  }

  /** Lets the processes of a frozen node continue. */
  async thawNode(node: string): Promise<void> {
    await thawCgroup(nodeCgroup(this.state, this.knownNode(node)));
  }

  /** The processes in pods of a node whose command line contains the text, with their ids in this machine's process namespace. */
  findInPods(node: string, text: string): readonly ProcessRecord[] {
    return findInCgroup(nodeCgroup(this.state, this.knownNode(node)), text);
  }

  /** Freezes the main thread of a process, and no other thread of it. */
  freezeMainThread({ pid }: ProcessRecord): Promise<FrozenThread> {
    return freezeThread(pid, pid);
  }

  /** Switches a node off: no packet more, everything on it killed, its disk kept. Returns when it is dead. */
  async stopNode(node: string): Promise<void> {
    await stopMachine(this.state, this.knownNode(node));
  }

  /** Switches a node on again and waits until it is ready. */
  async startNode(node: string): Promise<void> {
    await restartMachine(this.state, this.knownNode(node), this.nodes, this.programs, this.options.families);
  }

  /** Kills the API server. */
  async stopApiServer(): Promise<void> {
    await controlPlane.stopApiServer(this.state);
  }

  /** Starts the API server if it is stopped, and waits until it is ready. */
  async startApiServer(): Promise<void> {
    await controlPlane.restartApiServer(this.state, this.programs, this.options.families);
  }

  /** Makes the API server hang, without closing its connections. */
  pauseApiServer(): void {
    this.freezeApiServer(true);
  }

  /** Lets a hanging API server go on. */
  resumeApiServer(): void {
    this.freezeApiServer(false);
  }

  /** Whether a host ("n1") or a program ("etcd", "n1.kubelet") of the lab runs. */
  isRunning(name: string): boolean {
    return this.state.isRunning(name);
  }

  /** The process id, in this machine's process namespace, of a host or a program that runs. */
  processId(name: string): number | undefined {
    return this.isRunning(name) ? this.state.readProcess(name)?.pid : undefined;
  }

  /** The names of all hosts and programs that were ever started. */
  processNames(): string[] {
    return this.state.processNames();
  }

  /** The names of all logs, which are those of the hosts and programs. */
  logNames(): string[] {
    return this.state.logNames();
  }

  /** The path of a log. */
  logFile(name: string): string {
    return this.state.logFile(name);
  }

  /** The network namespaces of the lab, as findLeftovers takes them. */
  networks(): string[] {
    return findNetworks(this.state);
  }

  /** Takes the lab down with everything in it, and fails when something is left. */
  async down(): Promise<void> {
    await downLab(this.options.name);
  }

  private known(host: string): string {
    if (this.hosts.includes(host)) return host;
    throw new LabError("bad-option", `there is no host ${host}; the hosts are ${this.hosts.join(", ")}`);
  }

  private knownNode(node: string): string {
    if (this.nodes.includes(node)) return node;
    throw new LabError("bad-option", `there is no node ${node}; the nodes are ${this.nodes.join(", ")}`);
  }

  private enter(host: string): string[] {
    return enterHost(this.state, this.known(host));
  }

  private environment(host: string, extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const programs = isNode(host) ? "/run/lab/bin" : this.programs;
    return {
      ...process.env,
      PATH: `${programs}:${process.env.PATH ?? ""}`,
      KUBECONFIG: this.kubeconfig,
      // Not the caller's: its answers would be those of another cluster at the same address.
      KUBECACHEDIR: this.state.path("kubectl-cache"),
      [LAB_MARKER]: this.options.name,
      ...extra,
    };
  }

  private freezeApiServer(paused: boolean): void {
    if (!controlPlane.pauseApiServer(this.state, paused)) {
      throw new LabError("not-running", "the API server is stopped");
    }
  }
}

/** The lab of that name; throws when it has not been brought up to the end. */
export function openLab(name = "lab"): Lab {
  const state = new LabState(name);
  const labfile = state.read();
  if (labfile?.complete) return new Lab(state, labfile.options, labfile.programs);
  throw new LabError("not-running", `there is no lab ${name}: bring it up first`);
}

/** Takes down a lab, or what is left of one. Nothing to take down is no failure. */
export async function downLab(name: string): Promise<void> {
  const state = new LabState(name);
  await withLock(
    state.lockPath,
    () => {},
    () => removeLab(state),
  );
}

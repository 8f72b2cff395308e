import { spawn } from "node:child_process";
import { once } from "node:events";
import { Command, Option } from "commander";
import { exitCode } from "./command.ts";
import { LabError } from "./error.ts";
import { downLab, type Lab, openLab } from "./lab.ts";
import { showProgress } from "./progress.ts";
import type { LabOptions } from "./state.ts";
import { showStatus } from "./status.ts";
import { upLab } from "./up.ts";
import { wholeNumberParser } from "./whole-number.ts";

interface NameOption {
  name: string;
}

const progress = showProgress(process.stderr);
const program = new Command("lab")
  .description("A real Kubernetes cluster, with its networks, in namespaces of this machine")
  .enablePositionalOptions();

function labCommand(usage: string, description: string): Command {
  return program.command(usage).description(description).option("--name <name>", "which lab", "lab");
}

/** Runs a command on a host with this terminal as its own, and ends as it ends. */
async function runThere(lab: Lab, host: string, argv: string[]): Promise<void> {
  if (argv.length === 0) throw new LabError("bad-option", "no command is given: lab exec HOST -- COMMAND…");
  // An interrupt from the terminal reaches the command too, and it is the command that says what comes of it.
  process.on("SIGINT", () => {});
  const child = lab.spawn(host, argv, { stdio: "inherit" });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  process.exitCode = exitCode(code, signal);
}

labCommand("up", "bring the lab up, unless it runs already")
  .option("--nodes <number>", "how many nodes, 1 to 7", wholeNumberParser({ from: 1, to: 7 }), 3)
  .addOption(
    new Option("--proxy <mode>", "kube-proxy's mode").choices(["nftables", "iptables"] as const).default("nftables"),
  )
  .addOption(
    new Option("--families <families>", "which IP families the cluster and its networks have")
      .choices(["dual", "ipv4", "ipv6"] as const)
      .default("dual"),
  )
  .option("--dns", "resolve the names of Services, by CoreDNS", false)
  .option("--host-ports", "let pods have a hostPort, by the CNI plugin portmap", false)
  .option("--mld-snooping", "the switch passes solicitations only to ports that reported the group by MLD", false)
  .action(async (options: LabOptions) => {
    const start = Date.now();
    const lab = await upLab(options, progress);
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    progress.say(`ready after ${seconds} s: ${lab.nodes.join(" ")}; the lab's folder is ${lab.folder}`);
  });

labCommand("down", "take the lab down; nothing of it is left").action(async ({ name }: NameOption) => {
  await progress.step(`Take down lab ${name}`, () => downLab(name));
});

labCommand("status", "show what runs").action(async ({ name }: NameOption) => {
  process.exitCode = (await showStatus(openLab(name), process.stdout)) ? 0 : 1;
});

labCommand("kubectl [arguments...]", "run kubectl as the cluster's administrator")
  .passThroughOptions()
  // kubectl's own options may come first: kubectl -n shop get pods
  .allowUnknownOption()
  .action((argv: string[], { name }: NameOption) => runThere(openLab(name), "control", ["kubectl", ...argv]));

labCommand("client [command...]", "run a command on the client in the LAN")
  .passThroughOptions()
  .action((argv: string[], { name }: NameOption) => runThere(openLab(name), "client", argv));

labCommand("remote [command...]", "run a command on the client behind the router")
  .passThroughOptions()
  .action((argv: string[], { name }: NameOption) => runThere(openLab(name), "remote", argv));

labCommand("exec <host> [command...]", "run a command on any host: n1, control, router, client, observer, remote, lan")
  .passThroughOptions()
  .action((host: string, argv: string[], { name }: NameOption) => {
    // With options passed through, the -- after the host is not taken away.
    return runThere(openLab(name), host, argv[0] === "--" ? argv.slice(1) : argv);
  });

const nodeActions: Record<string, (lab: Lab, node: string) => Promise<void>> = {
  cut: (lab, node) => lab.cutNode(node),
  restore: (lab, node) => lab.restoreNode(node),
  stop: (lab, node) => lab.stopNode(node),
  start: (lab, node) => lab.startNode(node),
  mute: (lab, node) => lab.muteHost(node),
  deafen: (lab, node) => lab.deafenHost(node),
  silence: (lab, node) => lab.silenceHost(node),
  freeze: (lab, node) => lab.freezeNode(node),
  thaw: (lab, node) => lab.thawNode(node),
};
labCommand(
  "node <action> <node>",
  "cut or restore a node's cable; stop or start it (power, not shutdown); mute, deafen or silence it (it keeps its carrier); freeze or thaw its processes",
).action(async (action: string, node: string, { name }: NameOption) => {
  const act = nodeActions[action];
  if (act === undefined) throw new LabError("bad-option", `${action} is none of ${Object.keys(nodeActions)}`);
  await progress.step(`${action} ${node}`, () => act(openLab(name), node));
});

labCommand("split <half> <other>", "cut the LAN into halves: split n1,n2 n3,client,observer,router,control").action(
  async (half: string, other: string, { name }: NameOption) => {
    await progress.step(`split ${half} from ${other}`, () => openLab(name).splitLan(half.split(","), other.split(",")));
  },
);

labCommand("heal", "deliver every frame again, after mute, deafen, silence and split").action(
  async ({ name }: NameOption) => {
    await progress.step("deliver every frame", () => openLab(name).deliverFrames());
  },
);

const apiServerActions: Record<string, (lab: Lab) => Promise<void>> = {
  stop: (lab) => lab.stopApiServer(),
  start: (lab) => lab.startApiServer(),
  pause: async (lab) => lab.pauseApiServer(),
  resume: async (lab) => lab.resumeApiServer(),
};
labCommand("apiserver <action>", "stop (kill), start, pause (hang) or resume the API server").action(
  async (action: string, { name }: NameOption) => {
    const act = apiServerActions[action];
    if (act === undefined) throw new LabError("bad-option", `${action} is none of ${Object.keys(apiServerActions)}`);
    await progress.step(`${action} the API server`, () => act(openLab(name)));
  },
);

labCommand("image <action> <file>", "load an image archive (OCI layout or docker save) into all nodes")
  .option("--as <name>", "the image's full name, when the archive holds only a tag or none")
  .action(async (action: string, file: string, { name, as }: NameOption & { as?: string }) => {
    if (action !== "load") throw new LabError("bad-option", "the only thing to do with an image is: image load FILE");
    const options = as === undefined ? {} : { name: as };
    await progress.step(`Load ${file}`, () => openLab(name).loadImage(file, options));
  });

labCommand("logs [log]", "print a log (the end of it); without an argument, the names of all logs")
  .option("-f, --follow", "go on as it grows")
  .option("-n, --lines <number>", "how many lines", wholeNumberParser({ from: 0, to: 1_000_000 }), 200)
  .action(async (log: string | undefined, options: NameOption & { follow?: true; lines: number }) => {
    const lab = openLab(options.name);
    const names = lab.logNames();
    if (log === undefined) {
      process.stdout.write(`${names.join("\n")}\n`);
      return;
    }
    if (!names.includes(log)) throw new LabError("bad-option", `there is no log ${log}; there are ${names.join(", ")}`);
    const follow = options.follow ? ["-f"] : [];
    const tail = spawn("tail", ["-n", String(options.lines), ...follow, lab.logFile(log)], { stdio: "inherit" });
    await once(tail, "close");
  });

// Whoever reads our output may have read enough, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`lab: ${error.message}\n`);
  // At once: of several things done side by side one has failed, and the others would only wait for their time to be up.
  process.exit(1);
}

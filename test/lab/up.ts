import { type LabFamilies, nodeNames } from "./addresses.ts";
import { askApi } from "./api.ts";
import { buildPrograms } from "./build-cache.ts";
import { createCertificates } from "./certificates.ts";
import { findLeftovers, removeLab } from "./cleanup.ts";
import * as controlPlane from "./control-plane.ts";
import { buildDnsImage } from "./dns/build.ts";
import { dnsManifests } from "./dns/manifests.ts";
import { LabError } from "./error.ts";
import { buildImages, type ImageArchives, importImage } from "./images.ts";
import { Lab } from "./lab.ts";
import { withLock } from "./lock.ts";
import { bootHost, bootRoot } from "./namespaces.ts";
import { connectHost, createBridges, HOSTS } from "./network.ts";
import { startKubelet, startMachine, waitForNode } from "./node.ts";
import { writeNodeFiles } from "./node-files.ts";
import { type Progress, silent } from "./progress.ts";
import { completeOptions, type LabOptions, LabState } from "./state.ts";

/** Why a lab that exists is not one to go on with; undefined when all of it runs. */
async function findFault(lab: Lab): Promise<string | undefined> {
  const dead = lab.processNames().filter((name) => !lab.isRunning(name));
  if (dead.length > 0) return `no longer running: ${dead.slice(0, 4).join(", ")}${dead.length > 4 ? ", …" : ""}`;
  try {
    const { status } = await askApi(lab.apiSocket, "GET", "/readyz", undefined, 5_000);
    return status === 200 ? undefined : `its API server says ${status}`;
  } catch (error) {
    if (error instanceof LabError) return error.message;
    throw error;
  }
}

async function startHosts(
  state: LabState,
  nodes: readonly string[],
  programs: string,
  families: LabFamilies,
): Promise<void> {
  await bootRoot(state, programs);
  await createBridges(state);
  const startHost = async (host: string) => {
    await bootHost(state, host, host === "router", programs);
    await connectHost(state, host, nodes, families);
  };
  await Promise.all(HOSTS.map(startHost));
}

async function startControlPlane(state: LabState, programs: string, families: LabFamilies): Promise<void> {
  await controlPlane.startEtcd(state, programs);
  await controlPlane.startApiServer(state, programs, families);
  await controlPlane.startApiSocket(state, programs, families);
  await controlPlane.waitForApi(state);
}

async function importImages(state: LabState, node: string, images: ImageArchives): Promise<void> {
  await importImage(state, node, images.pause);
  await importImage(state, node, images.agnhost);
}

async function startDns(lab: Lab, image: string): Promise<void> {
  await lab.loadImage(image);
  await lab.kubectl(["apply", "-f", "-"], JSON.stringify(dnsManifests(lab.options.families)));
  await lab.kubectl(
    ["-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=90s"],
    undefined,
    100_000,
  );
}

async function bringUp(state: LabState, options: LabOptions, progress: Progress): Promise<Lab> {
  const programs = await buildPrograms(progress);
  const images = await buildImages(programs, progress);
  const dnsImage = options.dns ? await buildDnsImage(progress) : undefined;
  const bin = programs.folder;
  const nodes = nodeNames(options.nodes);
  const { families } = options;
  const start = Date.now();
  state.write({ options, programs: bin, complete: false });
  await progress.step("Certificates, hosts and networks", () =>
    Promise.all([createCertificates(state, nodes), startHosts(state, nodes, bin, families)]),
  );
  await progress.step("Control plane", () => startControlPlane(state, bin, families));
  await progress.step(nodes.length === 1 ? "One node" : `${nodes.length} nodes`, async () => {
    const startNode = async (node: string) => {
      writeNodeFiles(state, node, options);
      await controlPlane.createNodeObject(state, node, families);
      await startMachine(state, node, nodes, bin, families);
      await startKubelet(state, node, families);
      await importImages(state, node, images);
      await waitForNode(state, node, start);
    };
    await Promise.all([controlPlane.startControllers(state, bin, families), ...nodes.map(startNode)]);
  });
  const lab = new Lab(state, options, bin);
  if (dnsImage !== undefined) await progress.step("Cluster DNS", () => startDns(lab, dnsImage));
  state.write({ options, programs: bin, complete: true });
  return lab;
}

/** Brings a lab up, and gives the running one when it is there already and whole. What is left of an earlier one under
 * that name is removed first, and so is one of which anything is dead (a node that was switched off too). A lab that runs
 * with other options is left alone, and the call fails. */
export async function upLab(wanted: Partial<LabOptions> = {}, progress: Progress = silent): Promise<Lab> {
  const options = completeOptions(wanted);
  if (process.getuid?.() !== 0) throw new LabError("bad-option", "the lab makes namespaces and mounts: run it as root");
  const state = new LabState(options.name);
  const onWait = () => progress.say(`waiting for another process that is at lab ${options.name}`);
  return withLock(state.lockPath, onWait, async () => {
    const existing = state.read();
    if (existing?.complete) {
      const lab = new Lab(state, existing.options, existing.programs);
      const fault = await findFault(lab);
      if (fault === undefined && JSON.stringify(existing.options) === JSON.stringify(options)) {
        progress.say(`lab ${options.name} is running already`);
        return lab;
      }
      if (fault === undefined) {
        const { nodes, proxy, families, dns, hostPorts, mldSnooping } = existing.options;
        const more = `${dns ? " --dns" : ""}${hostPorts ? " --host-ports" : ""}${mldSnooping ? " --mld-snooping" : ""}`;
        const present = `--nodes ${nodes} --proxy ${proxy} --families ${families}${more}`;
        const said = `lab ${options.name} runs with ${present}; take it down first`;
        throw new LabError("different-options", said);
      }
      progress.say(`lab ${options.name} is broken (${fault}) and will be made anew.`);
    }
    if ((await findLeftovers(options.name)).length > 0) {
      await progress.step(`Remove what is left of lab ${options.name}`, () => removeLab(state));
    }
    try {
      return await bringUp(state, options, progress);
    } catch (error) {
      progress.say(`What there is of lab ${options.name} stays to be looked at, with its logs, in ${state.folder}.`);
      throw error;
    }
  });
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Dataplane } from "../../../speaker/dataplane/dataplane.ts";
import type { renderService } from "../../../speaker/dataplane/render.ts";
import { systemClock } from "../../../src/clock/clock.ts";
import type { IpAddress, IpFamily } from "../../../src/ip/address.ts";
import { silentLogger } from "../../../src/log/log.ts";
import { createRegistry } from "../../../src/metrics/registry.ts";
import type { EndpointSliceView } from "../../../src/model/endpoint-slice.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { Nft, NftReader } from "../../../src/nft/nft.ts";
import type { NftSet } from "../../../src/nft/set.ts";
import type { NftTable, NftTransaction } from "../../../src/nft/transaction.ts";

/** The data plane of one version, with the kernel of this namespace behind it. */
export interface VersionDataplane {
  setService(service: ServiceView, slices: readonly EndpointSliceView[], addresses: readonly IpAddress[]): void;
  /** Writes what has changed. Rejects where the kernel refuses it. */
  apply(): Promise<void>;
  /** Makes the next `apply` replace the table. */
  invalidate(): void;
  stop(): Promise<void>;
  /** How long transactions have taken so far in sum, from when they are encoded or printed until the kernel or nft has answered. Milliseconds. */
  readonly transactionMs: number;
}

/** What the bench calls of a version; the older ones have other names and fewer options. */
interface Parts {
  readonly Dataplane: typeof Dataplane & (new (options: unknown) => Dataplane & { distrust(): void });
  readonly renderService: typeof renderService;
  readonly createDataplaneMetrics: (registry: unknown) => unknown;
}

/** What a version before netlink has: programs that are run for each change. */
interface Programs {
  readonly createNft: () => Pick<Nft, "run">;
  readonly createConntrack: () => unknown;
}

type CreateKernel = (options: unknown) => Nft & NftReader & { start(): Promise<void>; stop(): Promise<void> };

const node = { name: "n1", addresses: { IPv4: undefined, IPv6: undefined }, answersPing: true, hashSeed: 1 };

/** Loads the sources of a checkout. `repair` is called when the kernel reports that another program has changed the table of a family. */
export async function loadVersion(checkout: string, repair: (family: IpFamily) => void): Promise<VersionDataplane> {
  const load = async (path: string) => import(pathToFileURL(join(checkout, path)).href);
  const {
    Dataplane: Loaded,
    renderService: render,
    createDataplaneMetrics,
  }: Parts = {
    ...(await load("speaker/dataplane/dataplane.ts")),
    ...(await load("speaker/dataplane/render.ts")),
    ...(await load("speaker/dataplane/metrics.ts")),
  };
  const { nft, conntrack, stop } = existsSync(join(checkout, "speaker/kernel/kernel.ts"))
    ? await startKernel(await load("speaker/kernel/kernel.ts"), (family) => {
        dataplane.foreignChange(family);
        repair(family);
      })
    : runPrograms({ ...(await load("src/nft/nft.ts")), ...(await load("speaker/dataplane/conntrack.ts")) });
  const metrics = createDataplaneMetrics(createRegistry());
  const now = () => performance.now();
  let transactionMs = 0;
  const timedNft = {
    async run(transaction: NftTransaction) {
      const startMs = now();
      await nft.run(transaction);
      transactionMs += now() - startMs;
    },
    readElements: (table: NftTable, set: NftSet) => nft.readElements?.(table, set),
  };
  const dataplane = new Loaded({
    nft: timedNft,
    conntrack,
    metrics,
    log: silentLogger,
    clock: systemClock,
    random: Math.random,
    now,
  });
  dataplane.setInterfaces(["eth0"]);
  return {
    setService: (service, slices, addresses) =>
      dataplane.setService(service.key, render(service, slices, addresses, node).elements),
    async apply() {
      const settings = { nodeAddresses: node.addresses, markBit: 14 };
      // Before results, `apply` threw.
      const result: Awaited<ReturnType<typeof dataplane.apply>> | undefined = await dataplane.apply(settings);
      const [failure] = result?.failures ?? [];
      if (failure !== undefined) throw failure.error;
    },
    invalidate: () => (dataplane.invalidate === undefined ? dataplane.distrust() : dataplane.invalidate()),
    async stop() {
      dataplane.stop?.();
      await stop();
    },
    get transactionMs() {
      return transactionMs;
    },
  };
}

interface KernelParts {
  readonly nft: Pick<Nft, "run"> & Partial<NftReader>;
  readonly conntrack: unknown;
  readonly stop: () => Promise<void>;
}

async function startKernel(
  { createKernel }: { readonly createKernel: CreateKernel },
  changed: (family: IpFamily) => void,
): Promise<KernelParts> {
  const kernel = createKernel({
    log: silentLogger,
    clock: systemClock,
    changes: {
      // 2 is NFPROTO_IPV4.
      tableChanged: ({ family }: { readonly family: number }) => changed(family === 2 ? "IPv4" : "IPv6"),
      networkChanged: () => undefined,
      kernelDied(error: Error) {
        throw error;
      },
    },
  });
  await kernel.start();
  return { nft: kernel, conntrack: kernel, stop: () => kernel.stop() };
}

function runPrograms({ createNft, createConntrack }: Programs): KernelParts {
  return { nft: createNft(), conntrack: createConntrack(), stop: async () => undefined };
}

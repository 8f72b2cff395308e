import { after, describe } from "node:test";
import { testNftContract } from "../unit/src/nft/nft-contract.ts";
import { Namespace, skipReason } from "./namespace.ts";
import { RemoteKernel } from "./remote-kernel.ts";

const skip = skipReason();
describe("nftables of the kernel", { skip: skip ?? false }, () => {
  const ends: (() => void)[] = [];
  after(() => {
    for (const end of ends) end();
  });
  testNftContract("kernel", async () => {
    const namespace = await Namespace.create("nft");
    const kernel = await RemoteKernel.start(namespace);
    ends.push(
      () => kernel.kill(),
      () => namespace.destroy(),
    );
    return kernel;
  });
});

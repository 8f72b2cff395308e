import { after, describe } from "node:test";
import { createNft } from "../../src/nft/nft.ts";
import { testNftContract } from "../unit/src/nft/nft-contract.ts";
import { Namespace, skipReason } from "./namespace.ts";

const skip = skipReason();
describe("nft of the kernel", { skip: skip ?? false }, () => {
  const namespaces: Namespace[] = [];
  after(() => {
    for (const namespace of namespaces) namespace.destroy();
  });
  testNftContract("kernel", async () => {
    const namespace = await Namespace.create("nft");
    namespaces.push(namespace);
    return createNft({ command: [...namespace.prefix, "nft"] });
  });
});

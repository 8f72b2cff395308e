import { FakeNft } from "../../../../src/nft/fake-nft.ts";
import { testNftContract } from "./nft-contract.ts";

testNftContract("fake", async () => new FakeNft());

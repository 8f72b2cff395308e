import { testNodePool } from "./node-pool.ts";

testNodePool("nftables");

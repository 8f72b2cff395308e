import { testIpMode } from "./ip-mode.ts";

testIpMode("nftables");

import { testForwarding } from "./forwarding.ts";
import { testHandover } from "./handover.ts";

testForwarding("nftables");
testHandover("nftables");

import { testForwarding } from "./forwarding.ts";
import { testHandover } from "./handover.ts";
import { testIpMode } from "./ip-mode.ts";
import { testNodePool } from "./node-pool.ts";
import { testStickyClients } from "./sticky-clients.ts";

testForwarding("iptables");
testHandover("iptables");
testNodePool("iptables");
testIpMode("iptables");
testStickyClients("iptables");

import { testForwarding } from "./forwarding.ts";
import { testHandover } from "./handover.ts";
import { testNodePool } from "./node-pool.ts";

testForwarding("iptables");
testHandover("iptables");
testNodePool("iptables");

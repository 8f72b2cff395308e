import { after } from "node:test";
import { downLab } from "../lab/lab.ts";
import { testForwarding } from "./forwarding.ts";
import { testHandover } from "./handover.ts";
import { testNodePool } from "./node-pool.ts";

testForwarding("iptables");
testHandover("iptables");
testNodePool("iptables");

// No other file uses that cluster, and two at once leave the machine less to work with. A lab that was named from outside is
// its user's to take down.
after(async () => {
  if (process.env.E2E_LAB === undefined) await downLab("e2e-iptables");
});

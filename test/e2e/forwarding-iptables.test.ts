import { after } from "node:test";
import { downLab } from "../lab/lab.ts";
import { testForwarding } from "./forwarding.ts";
import { testNodePool } from "./node-pool.ts";

testForwarding("iptables");
testNodePool("iptables");

// No other file uses that cluster, and two at once leave the machine less to work with.
after(() => downLab("e2e-iptables"));

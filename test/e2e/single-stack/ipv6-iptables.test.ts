import { testForwarding } from "../forwarding.ts";

testForwarding("iptables", "ipv6");

import { testForwarding } from "../forwarding.ts";

testForwarding("nftables", "ipv4");

import assert from "node:assert/strict";
import { test } from "node:test";
import { errnoNumbers } from "../../../../src/netlink/errno.ts";
import { FakeNetlinkSocket } from "../../../../src/netlink-socket/fake-netlink-socket.ts";
import { LinuxNetlinkSocket } from "../../../../src/netlink-socket/linux-netlink-socket.ts";
import { testNetlinkSocketContract } from "./netlink-socket-contract.ts";

testNetlinkSocketContract("fake", () => new FakeNetlinkSocket(() => ({ errno: errnoNumbers.EOPNOTSUPP })));
// Opening one needs no privilege.
testNetlinkSocketContract("kernel", () => new LinuxNetlinkSocket("route"));

test("two sockets of a process have different port ids", (t) => {
  const sockets = [new LinuxNetlinkSocket("route"), new LinuxNetlinkSocket("route")];
  t.after(() => {
    for (const socket of sockets) socket.close();
  });
  assert.notEqual(sockets[0]?.portId, sockets[1]?.portId);
});

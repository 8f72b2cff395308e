import { createSocket } from "node:dgram";
import { once } from "node:events";

/** A socket that holds multicast memberships, and nothing else. */
export interface GroupSocket {
  /** Throws where the kernel refuses. */
  join(group: string, interfaceName: string): void;
  leave(group: string, interfaceName: string): void;
  close(): void;
}

/** A UDP socket on the loopback: bound to where nothing can reach it, it still joins groups on every interface. */
export async function openGroupSocket(): Promise<GroupSocket> {
  const socket = createSocket({ type: "udp6", ipv6Only: true });
  socket.bind(0, "::1");
  await once(socket, "listening");
  socket.unref();
  return {
    join: (group, interfaceName) => socket.addMembership(group, `::%${interfaceName}`),
    leave: (group, interfaceName) => socket.dropMembership(group, `::%${interfaceName}`),
    close: () => socket.close(),
  };
}

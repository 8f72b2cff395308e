/**
 * The zone of connection tracking of connections that are rewritten to node ports, in the direction from the client. Any number that nothing
 * else on the node uses: Open vSwitch and OVN count zones up from 1.
 */
export const rewriteZone = 0xbe11;

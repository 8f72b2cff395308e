/** Name of the Lease, in Bellhop's own namespace, whose holder is the one controller that acts. */
export const leaderLeaseName = "bellhop-controller";

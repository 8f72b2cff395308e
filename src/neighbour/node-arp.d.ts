declare module "node-arp" {
  /** Runs `ping` and then reads the kernel's table with `arp`. `failed` true: `mac` is not an address. */
  export function getMAC(address: string, callback: (failed: boolean, mac: string) => void): void;
}

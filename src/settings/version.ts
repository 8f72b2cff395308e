/** Version of this program; the bundle is built with it, and package.json names the same (checked by a test). */
export const version = "0.1.0";

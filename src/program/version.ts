import packageFile from "../../package.json" with { type: "json" };

/** Version of this program: that of package.json, which the build puts into the bundle. */
export const version: string = packageFile.version;

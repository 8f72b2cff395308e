/**
 * The largest object that is read. etcd stores 1.5 MiB by default (--max-request-bytes), and Go writes some characters as six bytes
 * of JSON, so no object of a cluster with that default comes near it.
 */
export const maxObjectBytes = 16 * 1024 * 1024;

export interface OversizedMetadata {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** An object that was too large to be read. Has the `metadata` of an object, so that it has a key like the others. */
export class OversizedObject {
  readonly metadata: OversizedMetadata;
  /** Length of its JSON in bytes. */
  readonly bytes: number;

  /** Keeps only the part of the metadata that it needs. */
  constructor(metadata: unknown, bytes: number) {
    const found: Record<string, string> = {};
    for (const field of ["name", "namespace", "uid", "resourceVersion"]) {
      const value = (metadata as Readonly<Record<string, unknown>> | undefined)?.[field];
      if (typeof value === "string") found[field] = value;
    }
    this.metadata = found;
    this.bytes = bytes;
  }

  get message(): string {
    const { bytes } = this;
    return `the object has ${bytes} bytes, and no more than ${maxObjectBytes} are read. Make it smaller, its annotations first.`;
  }
}

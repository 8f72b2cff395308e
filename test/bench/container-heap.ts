/**
 * Options with which Node has the heap that it has in the controller's container: the limit that it derives from the memory limit of
 * 512 MiB (v8.getHeapStatistics()), and NODE_OPTIONS of deploy/base/controller.yaml. Elsewhere it derives the limit from the machine's
 * memory, and collects garbage later.
 */
export const containerHeap = ["--max-old-space-size=256", "--max-semi-space-size=8"];

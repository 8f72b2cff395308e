/** A moment in the form of metav1.Time: whole seconds, UTC. */
export function timeText(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, "Z");
}

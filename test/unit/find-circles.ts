/**
 * The circles of a directed graph: its strongly connected components of more than one member (Tarjan 1972), each sorted by name. An
 * edge from a member to itself counts for nothing.
 */
export function findCircles(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly (readonly string[])[] {
  const order = new Map<string, number>();
  const earliest = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];
  const visit = (from: string): void => {
    const index = order.size;
    order.set(from, index);
    let lowest = index;
    path.push(from);
    for (const to of graph.get(from) ?? []) {
      if (!order.has(to)) {
        visit(to);
        lowest = Math.min(lowest, earliest.get(to) ?? index);
      } else if (path.includes(to)) lowest = Math.min(lowest, order.get(to) ?? index);
    }
    earliest.set(from, lowest);
    if (lowest !== index) return;
    const members = path.splice(path.indexOf(from));
    if (members.length > 1) circles.push(members.sort());
  };
  for (const member of graph.keys()) if (!order.has(member)) visit(member);
  return circles.sort(([left = ""], [right = ""]) => (left < right ? -1 : 1));
}

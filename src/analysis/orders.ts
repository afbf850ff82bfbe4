import type { Rng } from '../rng.ts';

/** Orders in which values could have come as well, one after another. */
export interface Orders {
  /** How many there are to go through; 0 where nothing could have changed places. */
  readonly count: number;
  /** By place, the place whose value comes there. Up to `count` times; the array is the same each time. */
  readonly next: () => Int32Array;
}

/**
 * Orders of values that change places within groups: each distinct one once, but for that observed, where that is at most so many as asked for, and as many at random otherwise.
 *
 * With few launches there are few orders, and drawn at random the same few would come over and over: p would fall below what so few orders can tell.
 * @param groups - places whose values may change among each other
 * @param labels - by place; orders that differ only among places of a group with equal labels are one
 * @param most - orders asked for
 */
export function createOrders(groups: readonly Int32Array[], labels: Int32Array, most: number, rng: Rng): Orders {
  const order = labels.map((_, place) => place);
  let distinct = 1;
  for (const group of groups) distinct *= countDistinct(group, labels, most + 1);
  if (distinct > most + 1) return { count: most, next: () => shuffleGroups(order, groups, rng) };
  const lists = groups.map((group) => listDistinct(group, labels)).filter((list) => list.length > 1);
  const digits = lists.map(() => 0);
  return { count: distinct - 1, next: () => countUp(order, lists, digits) };
}

/** n! / (m1! m2! ...) for n places of which m1, m2, ... have equal labels; infinite above the limit. */
function countDistinct(group: Int32Array, labels: Int32Array, limit: number): number {
  const seen = new Map<number, number>();
  let count = 1;
  for (const [at, place] of group.entries()) {
    const same = (seen.get(labels[place] as number) ?? 0) + 1;
    seen.set(labels[place] as number, same);
    count = (count * (at + 1)) / same;
    if (count > limit) return Number.POSITIVE_INFINITY;
  }
  return count;
}

/** For each order of a group pairs of a place and the place whose value comes there, one after another; the order as it is comes first. */
function listDistinct(group: Int32Array, labels: Int32Array): Int32Array[] {
  const places = new Map<number, number[]>();
  for (const place of group) {
    const label = labels[place] as number;
    places.set(label, [...(places.get(label) ?? []), place]);
  }
  const taken = new Map([...places.keys()].map((label) => [label, 0]));
  const found: Int32Array[] = [];
  const order = new Int32Array(2 * group.length);
  // Value by value: each goes to the next free place of one label, first of its own.
  const assign = (at: number) => {
    if (at === group.length) {
      found.push(order.slice());
      return;
    }
    const own = labels[group[at] as number] as number;
    for (const label of [own, ...[...places.keys()].filter((other) => other !== own)]) {
      const free = taken.get(label) as number;
      const place = places.get(label)?.[free];
      if (place === undefined) continue;
      order.set([place, group[at] as number], 2 * at);
      taken.set(label, free + 1);
      assign(at + 1);
      taken.set(label, free);
    }
  };
  assign(0);
  return found;
}

/** The next combination of orders of the groups. */
function countUp(order: Int32Array, lists: readonly (readonly Int32Array[])[], digits: number[]): Int32Array {
  for (const [at, list] of lists.entries()) {
    digits[at] = ((digits[at] as number) + 1) % list.length;
    const pairs = list[digits[at] as number] as Int32Array;
    for (let pair = 0; pair < pairs.length; pair += 2) order[pairs[pair] as number] = pairs[pair + 1] as number;
    if (digits[at] !== 0) break;
  }
  return order;
}

function shuffleGroups(order: Int32Array, groups: readonly Int32Array[], rng: Rng): Int32Array {
  for (const places of groups) {
    for (let last = places.length - 1; last > 0; last--) {
      const a = places[last] as number;
      const b = places[rng.integer(0, last)] as number;
      const held = order[a] as number;
      order[a] = order[b] as number;
      order[b] = held;
    }
  }
  return order;
}

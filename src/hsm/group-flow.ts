/**
 * Items in groups that flow through lanes: the next group has leave to begin before the last item of the one
 * before has ended, so that the token never waits for whoever keeps the record.
 */

/** Groups that may be under way at a time: the older on its way to the record, the newer on the token. */
const GROUPS_UNDER_WAY = 2;
/**
 * Items that may begin in one turn of the event loop. Where the token is called on this thread nothing else happens
 * in between: verdicts on signatures and the leave of the next group would wait until the token has nothing to do.
 */
const ITEMS_A_TURN = 10;

export interface Flow<T, R, C> {
  readonly items: readonly T[];
  readonly groupSize: number;
  readonly contexts: readonly C[];
  /** Awaited before the first item of each group, in their order. */
  readonly before: (group: readonly T[]) => void | Promise<void>;
  readonly work: (context: C, item: T) => Promise<R>;
}

/**
 * Results group by group, in the order of the items. After a failure, or when nobody wants the next group, no
 * item begins any more; what is under way ends before the failure is thrown.
 */
export async function* groupFlow<T, R, C>(flow: Flow<T, R, C>): AsyncGenerator<readonly R[]> {
  const running = new Running(flow);
  try {
    for (let at = 0; at < running.groups.length; at += 1) {
      yield await running.ended(at);
      running.open(at + GROUPS_UNDER_WAY);
    }
  } finally {
    await running.stop();
  }
}

/** Something that will happen once. */
class Moment {
  readonly come: Promise<void>;
  happen: () => void = () => undefined;

  constructor() {
    this.come = new Promise((resolve) => {
      this.happen = resolve;
    });
  }
}

interface Group<T, R> {
  readonly items: readonly T[];
  /** Its first item may begin. */
  readonly leave: Moment;
  readonly end: Moment;
  results: R[];
  left: number;
}

class Running<T, R, C> {
  readonly groups: readonly Group<T, R>[];
  readonly #flow: Flow<T, R, C>;
  readonly #walks: Promise<unknown>;
  #opened: Promise<void> = Promise.resolve();
  #turn: Promise<void> = Promise.resolve();
  #next = 0;
  #over = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(flow: Flow<T, R, C>) {
    this.#flow = flow;
    this.groups = inGroups(flow.items, flow.groupSize).map((items) => {
      return { items, leave: new Moment(), end: new Moment(), results: [], left: items.length };
    });
    for (let at = 0; at < GROUPS_UNDER_WAY; at += 1) this.open(at);
    this.#walks = Promise.all(flow.contexts.map((context) => this.#walk(context)));
  }

  /** @throws whatever an item or the leave of a group failed with */
  async ended(at: number): Promise<readonly R[]> {
    const group = this.groups[at];
    await group?.end.come;
    // The leave of the next one has been asked for: what is recorded of this one goes with that behind it.
    await this.#opened;
    if (this.#failure !== undefined) throw this.#failure.error;
    const results = group?.results ?? [];
    if (group !== undefined) group.results = [];
    return results;
  }

  /** Asks for leave to begin a group. */
  open(at: number): void {
    const group = this.groups[at];
    if (group === undefined || this.#over) return;
    this.#opened = this.#opened.then(async () => {
      if (this.#over) return;
      try {
        await this.#flow.before(group.items);
        group.leave.happen();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#opened;
    await this.#walks;
  }

  async #walk(context: C): Promise<void> {
    const { groupSize, work } = this.#flow;
    for (;;) {
      const index = this.#next;
      this.#next += 1;
      const group = this.groups[Math.floor(index / groupSize)];
      if (group === undefined) return;
      await group.leave.come;
      await this.#turnOf(index);
      const place = index % groupSize;
      const item = group.items[place];
      if (this.#over || item === undefined) return;
      try {
        group.results[place] = await work(context, item);
      } catch (error) {
        this.#fail(error);
        return;
      }
      group.left -= 1;
      if (group.left === 0) group.end.happen();
    }
  }

  #turnOf(index: number): Promise<void> {
    if (index % ITEMS_A_TURN === 0) {
      this.#turn = this.#turn.then(
        () =>
          new Promise((resolve) => {
            setImmediate(resolve);
          }),
      );
    }
    return this.#turn;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#end();
  }

  // Whoever waits for something is let go, and finds that it is over.
  #end(): void {
    this.#over = true;
    for (const { leave, end } of this.groups) {
      leave.happen();
      end.happen();
    }
  }
}

function inGroups<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const groups: T[][] = [];
  for (let start = 0; start < items.length; start += size) {
    groups.push(items.slice(start, start + size));
  }
  return groups;
}

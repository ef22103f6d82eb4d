/** A call that answers group by group, as Keyrite sees it: events wait here until they are asked for. */

import { errorOf, type Answer, type Request } from "./protocol.ts";

/** What comes next. */
export type StreamEvent = Extract<Answer, { kind: "wants" | "group" }> | { readonly kind: "over" };

export interface StreamMeans {
  readonly send: (request: Request) => void;
  /** Wraps waiting for the process. */
  readonly awaiting: <T>(body: () => Promise<T>) => Promise<T>;
  /** Told once, when nothing more comes. */
  readonly over: () => void;
}

export class HostStream {
  readonly #id: number;
  readonly #means: StreamMeans;
  readonly #events: StreamEvent[] = [];
  #failure: Error | undefined;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(id: number, means: StreamMeans) {
    this.#id = id;
    this.#means = means;
  }

  /** @throws KeyriteError what the stream failed with */
  async next(): Promise<StreamEvent> {
    await this.#something();
    const event = this.#events.shift();
    if (event !== undefined) return event;
    if (this.#failure !== undefined) throw this.#failure;
    return { kind: "over" };
  }

  go(blobs: readonly Uint8Array[]): void {
    this.#means.send({ kind: "go", id: this.#id, blobs });
  }

  more(): void {
    this.#means.send({ kind: "more", id: this.#id });
  }

  /** Ends it early and waits until nothing of it is under way any more. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#means.send({ kind: "stop", id: this.#id });
    do {
      this.#events.length = 0;
      await this.#something();
    } while (this.#events.length > 0);
  }

  take(answer: Answer): void {
    if (answer.kind === "wants" || answer.kind === "group") this.#events.push(answer);
    else this.#end(answer.kind === "failed" ? errorOf(answer.error) : undefined);
    this.#wake();
  }

  fail(error: Error): void {
    this.#end(error);
    this.#wake();
  }

  #end(failure: Error | undefined): void {
    if (this.#ended) return;
    this.#failure = failure;
    this.#ended = true;
    this.#means.over();
  }

  async #something(): Promise<void> {
    if (this.#events.length > 0 || this.#ended) return;
    await this.#means.awaiting(
      () =>
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
    );
  }
}

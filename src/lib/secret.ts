/**
 * Bytes that do not print and are wiped. A secret is never a JavaScript string: strings cannot be
 * wiped and V8 copies them freely.
 */

const PLACEHOLDER = "[secret]";

/**
 * Zeroed bytes outside the JavaScript heap. A small `new Uint8Array(n)` lies on the heap, where the
 * collector moves it and native calls copy it, and Buffer.from may use a shared pool: both leave
 * copies that no wipe reaches.
 */
export function ownBytes(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length));
}

/** A copy of `bytes` outside the JavaScript heap; the caller wipes both. */
export function ownCopy(bytes: Uint8Array): Uint8Array {
  const own = ownBytes(bytes.length);
  own.set(bytes);
  return own;
}

/**
 * The same bytes outside the JavaScript heap, wiped where they were: for what a library hands out.
 */
export function moveToOwn(bytes: Uint8Array): Uint8Array {
  const own = ownCopy(bytes);
  bytes.fill(0);
  return own;
}

let lockMemory: (bytes: Uint8Array) => void = () => undefined;

/** From here on the memory of every secret is handed to `lock`, which keeps it out of swap. */
export function lockSecretsWith(lock: (bytes: Uint8Array) => void): void {
  lockMemory = lock;
}

let collect: () => void = () => undefined;

/** From here on `freeKeyObjects` runs `collectGarbage`, which collects all of it before it returns. */
export function freeKeysWith(collectGarbage: () => void): void {
  collect = collectGarbage;
}

/**
 * Frees the keys that were made for OpenSSL and that nobody holds any more. It clears them then, but has no other
 * way to hear of it than that V8 collects the objects around them, which may be minutes later.
 */
export function freeKeyObjects(): void {
  collect();
}

/**
 * Owns secret bytes. It has no index signature and no JSON form, so the compiler refuses it as
 * evidence, and it prints as "[secret]" wherever it ends up.
 */
export class Secret {
  #bytes: Uint8Array | undefined;

  private constructor(bytes: Uint8Array) {
    lockMemory(bytes);
    this.#bytes = bytes;
  }

  /** Takes ownership of `bytes`: the caller keeps no other copy and does not wipe it itself. */
  static take(bytes: Uint8Array): Secret {
    return new Secret(bytes);
  }

  /** Copies `bytes` into a new secret; the caller still owns, and wipes, the original. */
  static copy(bytes: Uint8Array): Secret {
    return new Secret(ownCopy(bytes));
  }

  /** Number of secret bytes. */
  get length(): number {
    return this.reveal().length;
  }

  get wiped(): boolean {
    return this.#bytes === undefined;
  }

  /**
   * Lends the bytes to `borrow`, which must not keep or copy them beyond what it wipes itself.
   * @throws Error when the secret was wiped: a use after wipe is a bug.
   */
  use<T>(borrow: (bytes: Uint8Array) => T): T {
    return borrow(this.reveal());
  }

  /** Overwrites the bytes with zeros. Harmless when repeated. */
  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  toString(): string {
    return PLACEHOLDER;
  }

  toJSON(): string {
    return PLACEHOLDER;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return PLACEHOLDER;
  }

  private reveal(): Uint8Array {
    if (this.#bytes === undefined) throw new Error("a secret was used after it was wiped");
    return this.#bytes;
  }
}

/** Runs `body` and wipes every secret afterwards, also when it throws. */
export async function wiping<T>(
  secrets: readonly Secret[],
  body: () => T | Promise<T>,
): Promise<T> {
  try {
    return await body();
  } finally {
    for (const secret of secrets) secret.wipe();
  }
}

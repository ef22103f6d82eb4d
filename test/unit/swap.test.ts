/** Swap in the clear is told of; encrypted swap, and swap that stays in memory, is not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLines, swapCheck } from "../../src/cli/doctor.ts";
import { openSwap, swapWarning } from "../../src/cli/swap.ts";

const HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

const BACKING = "/sys/block/zram0/backing_dev";

function machine(swaps: string, more: Readonly<Record<string, string>> = {}) {
  const files: Readonly<Record<string, string>> = { "/proc/swaps": swaps, ...more };
  return (path: string): string | undefined => files[path];
}

test("S05: swap in the clear is warned of by its place, encrypted and compressed memory is not", () => {
  const encrypted = { "/sys/block/dm-1/dm/uuid": "CRYPT-PLAIN-cryptswap1\n" };
  const plain = { "/sys/block/dm-0/dm/uuid": "LVM-abcdef\n" };
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] =
    [
      [HEAD, {}, []],
      ["", {}, []],
      [`${HEAD}/dev/sda2 partition 100 0 -2\n`, {}, ["/dev/sda2"]],
      [`${HEAD}/swap.img file 100 0 -2\n`, {}, ["/swap.img"]],
      [`${HEAD}/dev/zram0 partition 100 0 100\n`, {}, []],
      [`${HEAD}/dev/zram0 partition 100 0 100\n`, { [BACKING]: "none\n" }, []],
      [`${HEAD}/dev/zram0 partition 100 0 100\n`, { [BACKING]: "/dev/sda3\n" }, ["/dev/zram0"]],
      [`${HEAD}/dev/dm-1 partition 100 0 -2\n`, encrypted, []],
      [
        `${HEAD}/dev/dm-0 partition 100 0 -2\n/dev/dm-1 partition 1 0 -3\n`,
        { ...plain, ...encrypted },
        ["/dev/dm-0"],
      ],
    ];
  for (const [swaps, more, open] of cases) {
    const look = machine(swaps, more);
    assert.deepEqual(openSwap(look), open, swaps);
    const warning = swapWarning(look);
    assert.equal(warning === undefined, open.length === 0);
    for (const place of open) assert.ok(warning?.includes(place));
  }
});

test("S05: doctor warns of swap in the clear, which stops nobody, and names none where there is none", () => {
  const open = swapCheck(swapWarning(machine(`${HEAD}/swap.img file 100 0 -2\n`)));
  assert.equal(open.ok, true);
  assert.deepEqual(checkLines(open), [
    "WARN  swap            swap is on and not known to be encrypted: /swap.img. Secrets may be written there: swapoff -a",
  ]);
  assert.deepEqual(checkLines(swapCheck(swapWarning(machine(HEAD)))), [
    "ok    swap            nothing is swapped in the clear",
  ]);
});

test("S05: where nothing says what is swapped, that is said, and not that nothing is", () => {
  const dark = swapCheck(swapWarning(() => undefined));
  assert.deepEqual(checkLines(dark), [
    "WARN  swap            whether memory is swapped in the clear cannot be told on this system: there is no /proc/swaps",
  ]);
  const without = (path: string): string | undefined =>
    path === "/proc/meminfo" ? "MemTotal: 1 kB\n" : undefined;
  assert.equal(swapWarning(without), undefined, "a kernel that cannot swap");
});

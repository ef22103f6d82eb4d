/** Words for bytes: digests to read aloud, and generated passphrases. */

import type { Random } from "./clock.ts";
import { ownBytes, Secret } from "./secret.ts";

export { spokenWords } from "./spoken-words.ts";

const BITS_OF_A_WORD = 11;
const LONGEST_WORD = 8;

/**
 * A passphrase of `count` words, each one of 2,048 (11 bits a word: six words are 66 bits), joined by
 * single spaces. The bytes are ASCII and never were a string; whoever shows them to their owner writes
 * them to the terminal from `use`, once, and wipes the secret.
 */
export async function passphraseWords(random: Random, count: number): Promise<Secret> {
  const { wordlist } = await import("@scure/bip39/wordlists/english.js");
  if (wordlist.length !== 1 << BITS_OF_A_WORD) throw new Error("the word list is not complete");
  const choices = random.bytes(count * 2);
  const letters = ownBytes(count * (LONGEST_WORD + 1));
  let length = 0;
  for (let i = 0; i < count; i++) {
    const choice = ((choices[2 * i] ?? 0) << 8) | (choices[2 * i + 1] ?? 0);
    if (i > 0) letters[length++] = 0x20;
    // 2,048 divides 65,536, so taking the low bits favours no word.
    const word = wordlist[choice & (wordlist.length - 1)] ?? "";
    for (let at = 0; at < word.length; at++) letters[length++] = word.charCodeAt(at);
  }
  choices.fill(0);
  const passphrase = Secret.copy(letters.subarray(0, length));
  letters.fill(0);
  return passphrase;
}

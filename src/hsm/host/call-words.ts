/** What a module's process was asked for, in words for the room that waits for it. */

import { visible } from "../../lib/encoding.ts";
import type { ModuleCall, SessionCall, StreamCall } from "./protocol.ts";

const WORDS: Readonly<Record<ModuleCall | SessionCall | StreamCall, string>> = {
  start: "to start",
  tokens: "which tokens there are",
  find: "to find a token",
  initialize: "to initialize a token",
  completeInitialization: "to complete a token's initialization",
  wipe: "to wipe a token",
  login: "to log in",
  publicObjects: "for a token's public objects",
  publicKeys: "for a token's public keys",
  close: "to end",
  keys: "for its keys",
  generateKeyPair: "to generate a key pair",
  signAll: "to sign",
  oaepHashes: "how a transport key decrypts",
  wireFormats: "how keys may be wrapped",
  establishKek: "to establish a KEK",
  loadKek: "to load a KEK",
  resealKek: "to seal a KEK for another token",
  importKek: "to import a KEK",
  exportedKek: "for a KEK that is to be shared",
  inspectKek: "for a KEK",
  destroyKek: "to destroy a KEK",
  inventory: "for a list of its objects",
  lockKeys: "to lock keys",
  destroyKeys: "to destroy keys",
  destroyRemnants: "to destroy what is left of a key",
  lintObjects: "to have its objects judged",
  settleStorage: "to make its storage durable",
  logout: "to log out",
  wrapAll: "to wrap keys",
  unwrapAll: "to unwrap keys",
};

/** @param token label of the token that it is about, where it is about one. */
export function inWords(name: keyof typeof WORDS, token: string | undefined): string {
  return `${WORDS[name]}${token === undefined ? "" : ` (token ${visible(token)})`}`;
}

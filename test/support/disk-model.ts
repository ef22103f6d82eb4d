/**
 * What a disk holds after its power is cut, by a model that is harsher than most file systems: what was written
 * to a file is there only once that file was synced, what was made, renamed or removed in a folder only once that
 * folder was, and of everything else any part may be there and any part missing.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DiskCall } from "./disk-record.ts";

/** What a write or a cut does to the content of a file. */
interface FileChange {
  /** Undefined for a cut. */
  readonly bytes: Buffer | undefined;
  readonly at: number;
}

/** What happened in a folder: names that lead elsewhere now, or nowhere. A rename is one change. */
type FolderChange = readonly (readonly [string, Node | undefined])[];

export class FileNode {
  /** As it is on the disk for certain, and what was done to it since. */
  durable: Buffer;
  version = 0;
  changes: FileChange[] = [];

  constructor(durable = Buffer.alloc(0)) {
    this.durable = durable;
  }
}

export class FolderNode {
  durable = new Map<string, Node>();
  current = new Map<string, Node>();
  changes: FolderChange[] = [];
}

export type Node = FileNode | FolderNode;

/** Which of the changes to a node, each not yet synced, have reached the disk: one number of 0 to 255 each. */
export type Fate = (node: Node, changes: number) => readonly number[];

export const NOTHING: Fate = (_, changes) => Array.from({ length: changes }, () => 0);
export const EVERYTHING: Fate = (_, changes) => Array.from({ length: changes }, () => 255);

const SECTOR = 512;

export class DiskModel {
  readonly root: FolderNode;

  /** A disk that holds this folder, all of it durable. */
  constructor(folder: string) {
    this.root = read(folder);
  }

  /** @throws Error for a call that no model could follow, so that the recorder is never blind. */
  apply({ kind, path, other, number, bytes }: DiskCall): void {
    switch (kind) {
      case "none":
      case "unknown":
        throw new Error(`nothing is known of what was done to ${path}`);
      case "says":
        return;
      case "create":
        this.#change(path, new FileNode());
        return;
      case "mkdir":
        this.#change(path, new FolderNode());
        return;
      case "unlink":
      case "rmdir":
        this.#change(path, undefined);
        return;
      case "rename":
        this.#rename(path, other);
        return;
      case "write":
        this.#file(path)?.changes.push({ bytes, at: number });
        return;
      case "truncate":
        this.#file(path)?.changes.push({ bytes: undefined, at: number });
        return;
      case "sync":
        this.#sync(path);
        return;
    }
  }

  /** The present node of a path, as a process sees it that was not interrupted. */
  node(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of path === "" ? [] : path.split("/")) {
      node = node instanceof FolderNode ? node.current.get(name) : undefined;
    }
    return node;
  }

  /** Every present path of a file. */
  files(): readonly string[] {
    return [...walk(this.root, "", (folder) => folder.current)].map(([path]) => path);
  }

  // A file that was unlinked while it is open: what is written to it is nobody's any more.
  #file(path: string): FileNode | undefined {
    const node = this.node(path);
    if (node instanceof FileNode) return node;
    if (path.endsWith(" (deleted)")) return undefined;
    throw new Error(`the record writes to ${path}, which is no file`);
  }

  #folder(path: string): readonly [FolderNode, string] {
    const cut = path.lastIndexOf("/");
    const folder = this.node(cut < 0 ? "" : path.slice(0, cut));
    if (folder instanceof FolderNode) return [folder, path.slice(cut + 1)];
    throw new Error(`the record changes ${path}, which is in no folder`);
  }

  #change(path: string, node: Node | undefined): void {
    const [folder, name] = this.#folder(path);
    commit(folder.current, [[name, node]]);
    folder.changes.push([[name, node]]);
  }

  #rename(path: string, other: string): void {
    const [from, name] = this.#folder(path);
    const [to, target] = this.#folder(other);
    if (from !== to)
      throw new Error(`${path} moves to another folder: the model knows no such thing`);
    const change = [[name, undefined] as const, [target, from.current.get(name)] as const];
    commit(from.current, change);
    from.changes.push(change);
  }

  #sync(path: string): void {
    const node = this.node(path);
    if (node instanceof FileNode) {
      node.durable = contentOf(node, EVERYTHING);
      node.version += 1;
      node.changes = [];
    } else if (node !== undefined) {
      node.durable = new Map(node.current);
      node.changes = [];
    }
  }
}

/** The disk as it is found when the power is back. */
export class DiskState {
  readonly #root: FolderNode;
  readonly #fate: Fate;
  readonly #fates = new Map<Node, readonly number[]>();

  constructor(disk: DiskModel, fate: Fate) {
    this.#root = disk.root;
    this.#fate = fate;
  }

  #fateOf(node: Node): readonly number[] {
    let fates = this.#fates.get(node);
    if (fates === undefined) {
      fates = this.#fate(node, node.changes.length);
      this.#fates.set(node, fates);
    }
    return fates;
  }

  #entries(folder: FolderNode): ReadonlyMap<string, Node> {
    if (folder.changes.length === 0) return folder.durable;
    const entries = new Map(folder.durable);
    const fates = this.#fateOf(folder);
    for (const [i, change] of folder.changes.entries()) {
      if ((fates[i] ?? 0) > 127) commit(entries, change);
    }
    return entries;
  }

  file(path: string): FileNode | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.split("/")) {
      node = node instanceof FolderNode ? this.#entries(node).get(name) : undefined;
    }
    return node instanceof FileNode ? node : undefined;
  }

  /** Every file there is. */
  files(): ReadonlyMap<string, FileNode> {
    return new Map(walk(this.#root, "", (folder) => this.#entries(folder)));
  }

  content(file: FileNode): Buffer {
    return contentOf(file, this.#fate, this.#fateOf(file));
  }

  /** What is the same for the same content, without computing it. */
  key(file: FileNode | undefined, number: (file: FileNode) => number): string {
    if (file === undefined) return "-";
    return `${number(file)}.${file.version}.${this.#fateOf(file).join(",")}`;
  }
}

function commit(entries: Map<string, Node>, change: FolderChange): void {
  for (const [name, node] of change) {
    if (node === undefined) entries.delete(name);
    else entries.set(name, node);
  }
}

function contentOf(file: FileNode, fate: Fate, given?: readonly number[]): Buffer {
  const fates = given ?? fate(file, file.changes.length);
  const longest = file.changes.reduce(
    (most, { bytes, at }) => Math.max(most, at + (bytes?.length ?? 0)),
    0,
  );
  const content = Buffer.alloc(Math.max(longest, file.durable.length));
  let length = file.durable.copy(content);
  for (const [i, { bytes, at }] of file.changes.entries()) {
    const luck = fates[i] ?? 0;
    if (luck === 0) continue;
    if (bytes === undefined) {
      content.fill(0, at, length);
      length = at;
    } else {
      write(content, bytes, at, luck);
      length = Math.max(length, at + bytes.length);
    }
  }
  return content.subarray(0, length);
}

/** A write that reached the disk whole (255), or in some of its sectors. */
function write(content: Buffer, bytes: Buffer, at: number, luck: number): void {
  for (let start = 0; start < bytes.length;) {
    const end = Math.min(bytes.length, start + SECTOR - ((at + start) % SECTOR));
    const sector = Math.floor((at + start) / SECTOR);
    // Any fixed mixture of number and luck will do: it has to differ from sector to sector.
    const arrives = luck === 255 || (((sector * 167) ^ luck) % 7) % 2 === 0;
    if (arrives) bytes.copy(content, at + start, start, end);
    start = end;
  }
}

function* walk(
  folder: FolderNode,
  prefix: string,
  entries: (folder: FolderNode) => ReadonlyMap<string, Node>,
): Iterable<readonly [string, FileNode]> {
  for (const [name, node] of entries(folder)) {
    if (node instanceof FileNode) yield [`${prefix}${name}`, node];
    else yield* walk(node, `${prefix}${name}/`, entries);
  }
}

function read(folder: string): FolderNode {
  const node = new FolderNode();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) node.durable.set(entry.name, read(path));
    else if (entry.isFile()) node.durable.set(entry.name, new FileNode(readFileSync(path)));
    else throw new Error(`${path} is neither file nor folder`);
  }
  node.current = new Map(node.durable);
  return node;
}

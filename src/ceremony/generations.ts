/** Names of what has generations, in custody, in folders and in file names: `<id>.g<generation>`. */

export interface ShareSetRef {
  readonly set: string;
  readonly generation: number;
}

export interface KekRef {
  readonly kek: string;
  readonly generation: number;
}

export function shareSetName(ref: ShareSetRef): string {
  return `${ref.set}.g${ref.generation}`;
}

export function kekName(ref: KekRef): string {
  return `${ref.kek}.g${ref.generation}`;
}

/** The little of a document that the page's script touches. Text goes in as text: nothing here can make markup. */

import type { Subtle } from "./crypto.ts";

export interface PageElement {
  textContent: string | null;
  className: string;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  append(...children: readonly (PageElement | string)[]): void;
  replaceChildren(...children: readonly (PageElement | string)[]): void;
}

export interface PageDocument {
  readonly documentElement: PageElement;
  getElementById(id: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  createElement(name: string): PageElement;
}

export interface PageWindow {
  readonly document: PageDocument;
  readonly crypto?: { readonly subtle?: Subtle };
}

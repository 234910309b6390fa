/** Which rows of a long list stand on the screen: the others are height alone. All rows are equally high. */

const BEYOND = 12;

export interface Slice {
  first: number;
  end: number;
}

export class RowWindow {
  private readonly scroller: HTMLElement;
  private readonly body: HTMLElement;

  constructor(scroller: HTMLElement, body: HTMLElement) {
    this.scroller = scroller;
    this.body = body;
  }

  /** Of the style sheet, because it differs with the width of the screen. */
  get rowHeight(): number {
    return Number.parseFloat(getComputedStyle(this.body).getPropertyValue("--row-height")) || 46;
  }

  slice(total: number): Slice {
    const height = this.rowHeight;
    const { scroller } = this;
    // A list that is hidden has no height: what it shows first is enough.
    const seen = scroller.clientHeight || window.innerHeight;
    const first = Math.max(0, Math.floor(this.top() / height) - BEYOND);
    const end = Math.min(total, Math.ceil((this.top() + seen) / height) + BEYOND);
    return { first: Math.min(first, end), end };
  }

  stretch(slice: Slice, total: number): void {
    const height = this.rowHeight;
    this.body.style.paddingTop = `${slice.first * height}px`;
    this.body.style.paddingBottom = `${(total - slice.end) * height}px`;
  }

  /** Scrolls as little as brings a row into view. */
  reveal(index: number): void {
    const height = this.rowHeight;
    const head = this.body.offsetTop;
    const top = index * height;
    const seen = this.scroller.clientHeight - head;
    const now = this.scroller.scrollTop;
    if (top < now) this.scroller.scrollTop = top;
    else if (seen > 0 && top + height > now + seen) this.scroller.scrollTop = top + height - seen;
  }

  private top(): number {
    return Math.max(0, this.scroller.scrollTop);
  }
}

/** Of several answers about one thing the newest: none is believed that something overtook on its way. */
export class Latest<T> {
  private news = 0;
  private asking: Promise<T> | null = null;
  private readonly fetch: () => Promise<T>;

  constructor(fetch: () => Promise<T>) {
    this.fetch = fetch;
  }

  /** More is known now than an answer on its way can say. */
  overtake(): void {
    this.news += 1;
  }

  /** One request at a time; whoever asks while it is on its way gets what the next one says. */
  ask(): Promise<T> {
    this.overtake();
    this.asking ??= this.settled().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private async settled(): Promise<T> {
    for (;;) {
      const { news } = this;
      const answer = await this.fetch();
      if (news === this.news) return answer;
    }
  }
}

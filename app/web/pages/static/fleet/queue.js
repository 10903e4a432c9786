// A bounded number of requests at a time; a request that is still waiting can be dropped.

/** Raised in place of a result that is no longer wanted. */
export class Dropped extends Error {}

export class Queue {
  #limit;
  #running = 0;
  #waiting = [];

  constructor(limit) {
    this.#limit = limit;
  }

  /** Runs a task when its turn comes. If `signal` is aborted before that, it never runs. */
  run(task, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(new Dropped());
        return;
      }
      const entry = { task, resolve, reject };
      signal?.addEventListener("abort", () => this.#drop(entry), { once: true });
      this.#waiting.push(entry);
      this.#next();
    });
  }

  #drop(entry) {
    const place = this.#waiting.indexOf(entry);
    if (place >= 0) {
      this.#waiting.splice(place, 1);
      entry.reject(new Dropped());
    }
  }

  #next() {
    if (this.#running >= this.#limit || this.#waiting.length === 0) return;
    const { task, resolve, reject } = this.#waiting.shift();
    this.#running += 1;
    task().then(resolve, reject).finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }
}
